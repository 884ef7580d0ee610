import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, reg, TestGuest } from './cpu.testing.ts';

test('how a loader looks for an x87 unit: FNINIT, then its status and control word', () => {
  // The words are 5a5ah before, so that a processor without the unit leaves them.
  const guest = new TestGuest().real(`
    c7060005 5a5a  ; mov word [500h], 5a5ah
    c7060205 5a5a  ; mov word [502h], 5a5ah
    dbe3           ; fninit
    dd3e0005       ; fnstsw [500h]
    d93e0205       ; fnstcw [502h]
    b85a5a         ; mov ax, 5a5ah
    9bdfe0         ; fstsw ax
    f4`);
  assert.equal(guest.run().kind, 'halt');
  assert.equal(guest.memory.u32(0x500), 0x037f_0000);
  assert.equal(guest.get('RAX'), 0);
  assert.equal(guest.get('FP_CONTROL_STATUS'), 0x37f);
  assert.ok(guest.cpu.changedRegisters().includes(0x0003_0018));
});

test('FLDCW, FNCLEX, in 32-bit code', () => {
  const guest = new TestGuest().flat(`
    66c7050005 0000 ffff ; mov word [500h], ffffh
    dbe2                 ; fnclex
    d92d00050000         ; fldcw [500h]
    f4`);
  guest.set('FP_CONTROL_STATUS', (7n << 32n) | 0xc1ff_0040n);
  assert.equal(guest.run().kind, 'halt');
  // Bits that do not exist stay away; condition codes and the top of the stack stay; the rest is as it was.
  assert.equal(guest.cpu.getRegister(0x0003_0018), (7n << 32n) | 0x4100_1f7fn);
});

test('#NM where the guest watches the unit', () => {
  for (const [cr0, program, kind] of [
    [0x14, 'dbe3', 'shutdown'],
    [0x18, 'dbe3', 'shutdown'],
    [0x18, '9bf4', 'halt'],
    [0x1a, '9bf4', 'shutdown'],
  ] as const) {
    const guest = new TestGuest().real(program);
    guest.set('CR0', cr0);
    // Without a vector table an exception cannot be delivered.
    guest.set('IDTR', 0);
    assert.equal(guest.run().kind, kind, `${cr0.toString(16)} ${program}`);
  }
});

test('an exception that is told without CR0.NE is said to be missing', () => {
  const exit = new TestGuest().real('d9e0 9b').run(); // fchs of an empty register; wait
  assert.deepEqual(exit, {
    kind: 'unsupported',
    what: 'x87 exceptions without CR0.NE',
    instructionLength: 1,
  });
});

/** The registers from the top of the stack on, as 80 bits. */
const stack = (guest: TestGuest, count: number): string[] =>
  Array.from({ length: count }, (_, n) => guest.cpu.getRegister(reg(`FP_MMX${n}`)).toString(16));

test('how Linux looks for the error of the first Pentium: 4195835 - 4195835 / 3145727 * 3145727', () => {
  const guest = new TestGuest().flat(`
    dbe3           ; fninit
    dd0500050000   ; fld qword [500h]
    dc3508050000   ; fdiv qword [508h]
    dc0d08050000   ; fmul qword [508h]
    dd0500050000   ; fld qword [500h]
    dee1           ; fsubrp st1, st0
    db1d10050000   ; fistp dword [510h]
    9b             ; wait
    dbe3 f4        ; fninit, hlt`);
  guest.memory.write(0x500, new Uint8Array(new Float64Array([4195835, 3145727]).buffer));
  guest.memory.write(0x510, [1, 2, 3, 4]);
  assert.equal(guest.run().kind, 'halt');
  assert.equal(guest.memory.u32(0x510), 0);
});

test('the registers, as a VMM reads and writes them', () => {
  const guest = new TestGuest().flat('d9eb d9e8 dec1 f4'); // fldpi, fld1, faddp
  guest.set('FP_CONTROL_STATUS', 0x37f);
  guest.cpu.changedRegisters();
  assert.equal(guest.run().kind, 'halt');
  assert.deepEqual(stack(guest, 2), ['40018487ed5110b4611a', '0']);
  // One register is not empty, the top is 7, and the sum was not exact.
  assert.equal(guest.cpu.getRegister(reg('FP_CONTROL_STATUS')), (0x80n << 32n) | 0x3820_037fn);
  const changed = guest.cpu.changedRegisters();
  for (const name of ['FP_CONTROL_STATUS', 'FP_MMX0', 'FP_MMX7'])
    assert.ok(changed.includes(reg(name)), name);
  assert.ok(!changed.includes(reg('FP_MMX1')));
  guest.set('FP_MMX0', (0xc000n << 64n) | (1n << 63n));
  guest.memory.write(0x8000, bytesOf('d9fa f4')); // fsqrt
  guest.set('RIP', 0x8000);
  assert.equal(guest.run().kind, 'halt');
  assert.deepEqual(stack(guest, 1), ['ffffc000000000000000']);
});

test('an exception that is not masked comes with the next instruction that waits', () => {
  const program = `
    d92d00050000   ; fldcw [500h]
    d9e8 d9ee      ; fld1, fldz
    def9           ; fdivp st1, st0
    dfe0           ; fnstsw ax
    9b f4          ; wait, hlt`;
  for (const [cr0, kind] of [
    [0x31, 'shutdown'],
    [0x11, 'unsupported'],
  ] as const) {
    const guest = new TestGuest().flat(program);
    guest.memory.write(0x500, [0x7b, 3]);
    guest.set('CR0', cr0);
    guest.set('IDTR', 0);
    assert.equal(guest.run().kind, kind);
    assert.equal(guest.get('RAX'), 0xb084);
    assert.equal(guest.get('RIP'), 0x800e);
  }
});

test('FXSAVE and FXRSTOR carry the unit', () => {
  const guest = new TestGuest().flat(`
    dbe3 d9ea d9ed   ; fninit, fldl2e, fldln2
    0fae05 00d00000  ; fxsave [d000h]
    dbe3             ; fninit
    0fae0d 00d00000  ; fxrstor [d000h]
    f4`);
  assert.equal(guest.run().kind, 'halt');
  assert.equal(guest.memory.u32(0xd000), 0x3000_037f);
  assert.equal(guest.memory.u32(0xd004), 0xc0);
  assert.deepEqual(stack(guest, 2), ['3ffeb17217f7d1cf79ac', '3fffb8aa3b295c17f0bc']);
  assert.equal(guest.cpu.getRegister(reg('FP_CONTROL_STATUS')), (0xc0n << 32n) | 0x3000_037fn);
});

test('FNSAVE in 16-bit code, and FRSTOR', () => {
  const guest = new TestGuest().real(`
    dbe3 d9e8 d9ee   ; fninit, fld1, fldz
    dd360005         ; fnsave [500h]
    d9eb             ; fldpi
    dd260005         ; frstor [500h]
    f4`);
  assert.equal(guest.run().kind, 'halt');
  // Physical registers 6 and 7: a zero, a number; all others are empty.
  assert.equal(guest.memory.u32(0x500), 0x3000_037f);
  assert.equal(guest.memory.u32(0x504) & 0xffff, 0x1fff);
  assert.deepEqual([...guest.memory.read(0x50e + 10, 10)], [0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f]);
  assert.deepEqual(stack(guest, 2), ['0', '3fff8000000000000000']);
});
