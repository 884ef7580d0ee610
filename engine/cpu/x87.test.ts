import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestGuest } from './cpu.testing.ts';

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
    d92d00050000         ; fldcw [500h]
    dbe2                 ; fnclex
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

test('what computes is said to be missing', () => {
  const exit = new TestGuest().real('d9e8').run(); // fld1
  assert.deepEqual(exit, { kind: 'unsupported', what: 'x87 instruction', instructionLength: 2 });
});
