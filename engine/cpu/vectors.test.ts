/** MMX, SSE3 to SSE4.2 and their like beside what the host's processor is asked about (test/cpu): who may use them, and known answers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, guarded, OSFXSR, reg, type TestGuest } from './cpu.testing.ts';

const NE = 0x20;
const EM = 4;
const TS = 8;
/** Control word after FNINIT, tags of all registers empty, top at 0. */
const INITIAL = 0x37fn;

const ended = (program: string, cr0 = 0x11, cr4 = OSFXSR): number => {
  const guest = guarded(`${program} f4`, cr0, cr4);
  guest.set('FP_CONTROL_STATUS', INITIAL);
  assert.equal(guest.run().kind, 'halt');
  return guest.get('RIP') - 0xb010;
};
const NO_FAULT = 0x8000 - 0xb010;

describe('MMX', () => {
  const PADDB = '0f fc c1';

  test('asks for CR0 and for the x87 exception that is pending, not for CR4.OSFXSR', () => {
    assert.equal(ended(PADDB, 0x11, 0), NO_FAULT + 3);
    assert.equal(ended(PADDB, 0x11 | EM), 6);
    assert.equal(ended(PADDB, 0x11 | EM | TS), 6);
    assert.equal(ended(PADDB, 0x11 | TS), 7);
    const guest = guarded(`${PADDB} f4`, 0x11 | NE);
    // An invalid operation that is not masked.
    guest.set('FP_CONTROL_STATUS', 0x8081_037en);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP') - 0xb010, 16);
  });

  test('with an XMM register beside it, it asks for OSFXSR too', () => {
    for (const program of ['f3 0f d6 c1', 'f2 0f d6 c1', '0f 2a c1', '66 0f 2d c1'])
      assert.deepEqual([ended(program), ended(program, 0x11, 0)], [NO_FAULT + program.split(' ').length, 6]);
  });

  test('makes the top 0 and all registers valid, sets the upper 16 bits of what it writes; EMMS empties them', () => {
    const guest = guarded('0f 6f c1 0f 77 f4'); // movq mm0, mm1; emms
    guest.set('FP_CONTROL_STATUS', (0x10n << 32n) | (0x2800n << 16n) | INITIAL); // top 5, register 4 is not empty
    const word = (): bigint => guest.cpu.getRegister(reg('FP_CONTROL_STATUS'));
    guest.set('FP_MMX4', (0x3fffn << 64n) | 0x1122_3344_5566_7788n); // ST(4) is register 1
    guest.cpu.changedRegisters();
    guest.run(1);
    assert.equal(word(), (0xffn << 32n) | INITIAL);
    assert.equal(guest.cpu.getRegister(reg('FP_MMX0')), (0xffffn << 64n) | 0x1122_3344_5566_7788n);
    const changed = guest.cpu.changedRegisters();
    for (const name of ['FP_MMX0', 'FP_MMX1', 'FP_CONTROL_STATUS'])
      assert.ok(changed.includes(reg(name)), name);
    guest.run();
    assert.equal(word(), INITIAL);
  });

  test('an operand that is not there leaves the x87 unit as it was', () => {
    for (const program of ['0f fc 05 00 00 10 00', '0f 7f 05 00 00 10 00', '0f e7 05 fc ff 01 00']) {
      const guest = guarded(program);
      guest.set('FP_CONTROL_STATUS', (0x10n << 32n) | (0x2800n << 16n) | INITIAL);
      const before = guest.cpu.getRegister(reg('FP_CONTROL_STATUS'));
      assert.equal(guest.run().kind, 'memory');
      assert.equal(guest.cpu.getRegister(reg('FP_CONTROL_STATUS')), before);
    }
  });
});

describe('SSSE3 and SSE4', () => {
  test('XMM forms want OSFXSR and aligned memory; strings need not be aligned', () => {
    assert.equal(ended('66 0f 38 00 c1', 0x11, 0), 6);
    assert.equal(ended('66 0f 38 00 c1', 0x11 | TS), 7);
    assert.equal(ended('66 0f 38 00 05 04 d0 00 00'), 13);
    assert.equal(ended('66 0f 3a 63 05 04 d0 00 00 00'), NO_FAULT + 10);
    assert.equal(ended('f2 0f f0 05 04 d0 00 00'), NO_FAULT + 8);
    assert.equal(ended('f0 66 0f 38 00 c1'), 6);
    assert.equal(ended('f3 0f 38 00 c1'), 6);
  });

  const halted = (program: string): TestGuest => {
    const guest = guarded(`${program} f4`);
    guest.memory.write(0xd000, Buffer.from('a string of text'));
    guest.memory.write(0xd010, Buffer.from('of\0'));
    assert.equal(guest.run().kind, 'halt');
    return guest;
  };

  test('PCMPISTRI finds a string in a string, PCMPISTRM marks letters of a range', () => {
    // movdqu xmm0, [d010]; pcmpistri xmm0, [d000], equal ordered
    const found = halted('f3 0f 6f 05 10 d0 00 00 66 0f 3a 63 05 00 d0 00 00 0c');
    assert.equal(found.get('RCX'), 9);
    assert.equal(found.get('RFLAGS') & 0x8d5, 0x81); // CF, and SF: the first one has an end
    // pcmpistrm xmm0, [d000], ranges ('o' is in "of", f to o): a mask of bits
    const marked = halted('b8 66 6f 00 00 66 0f 6e c0 66 0f 3a 62 05 00 d0 00 00 04');
    const letters = [...'a string of text'].reduce(
      (mask, letter, n) => (letter >= 'f' && letter <= 'o' ? mask | (1 << n) : mask),
      0,
    );
    assert.equal(marked.get('XMM0'), letters);
  });

  test('CRC32 has the check value of its polynomial; POPCNT, LZCNT, MOVBE', () => {
    const guest = guarded(`b8 ff ff ff ff be 00 d0 00 00 b9 09 00 00 00
      f2 0f 38 f0 06 46 e2 f8 f7 d0 ; crc32 eax, byte [esi]; inc esi; loop; not eax
      f3 0f b8 d8 f3 0f bd ce       ; popcnt ebx, eax; lzcnt ecx, esi
      0f 38 f0 15 00 d0 00 00 f4`); // movbe edx, [d000]
    guest.memory.write(0xd000, Buffer.from('123456789'));
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual(
      ['RAX', 'RBX', 'RCX', 'RDX'].map((name) => guest.get(name)),
      [0xe3069283, 13, 16, 0x31323334],
    );
  });

  test('FISTTP cuts whatever the control word says', () => {
    const guest = guarded('d9 05 00 d0 00 00 db 0d 08 d0 00 00 f4'); // fld [d000]; fisttp [d008]
    guest.set('FP_CONTROL_STATUS', 0xb7fn); // rounds up
    guest.memory.write(0xd000, bytesOf('0000 2c c0')); // -2.6875
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.memory.u32(0xd008) | 0, -2);
  });
});

describe('CPUID', () => {
  const seen = (leaf: number, answer: number, eax = answer): number[] => {
    const guest = guarded('0f a2 f4');
    guest.set('RAX', leaf);
    const exit = guest.run();
    assert.ok(exit.kind === 'cpuid');
    guest.cpu.completeCpuid(exit, { eax, ebx: answer, ecx: answer, edx: answer });
    return ['RCX', 'RDX', 'RAX', 'RBX'].map((name) => guest.get(name) >>> 0);
  };
  const bit = (word: number, n: number): number => (word >>> n) & 1;

  test('tells of all of x86-64-v2, and of nothing beyond, where the answer does', () => {
    const [ecx, edx] = seen(1, -1) as [number, number];
    // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE, POPCNT; MMX, FXSR, SSE, SSE2.
    for (const n of [0, 9, 13, 19, 20, 22, 23]) assert.equal(bit(ecx, n), 1, `leaf 1 ECX bit ${n}`);
    for (const n of [23, 24, 25, 26]) assert.equal(bit(edx, n), 1, `leaf 1 EDX bit ${n}`);
    // PCLMULQDQ, MONITOR, FMA, AES, AVX, F16C, RDRAND.
    for (const n of [1, 3, 12, 25, 28, 29, 30]) assert.equal(bit(ecx, n), 0, `leaf 1 ECX bit ${n}`);
    const [extended, long] = seen(0x8000_0001, -1) as [number, number];
    assert.equal(bit(long, 29), 1);
    assert.deepEqual([bit(extended, 0), bit(extended, 5), bit(extended, 6)], [1, 1, 0]); // LAHF, LZCNT; no SSE4a
    // Nothing of MONITOR, performance counters, processor trace, SVM; of power only what holds.
    for (const leaf of [5, 0xa, 0x14, 0x8000_000a]) assert.deepEqual(seen(leaf, -1), [0, 0, 0, 0]);
    assert.deepEqual(
      [seen(6, -1), seen(0x8000_0007, -1)],
      [
        [0, 0, 4, 0],
        [0, 0x100, 0, 0],
      ],
    );
    for (const leaf of [0, 4, 0x4000_0001, 0x8000_0002]) assert.deepEqual(seen(leaf, 7), [7, 7, 7, 7]);
    assert.deepEqual(seen(1, 0), [0, 0, 0, 0]);
    assert.equal(seen(7, -1)[3], 0x100280);
    assert.equal(seen(0x8000_0008, -1, 0x3030)[2], 0x3028);
  });
});

test('what a ModRM byte makes undefined is another instruction once that byte is another one', () => {
  const guest = guarded('0f ba c0 01 f4'); // 0f ba /0
  guest.run(1);
  assert.equal(guest.get('RIP'), 0xb010 + 6);
  guest.memory.write(0x8002, [0xe0]); // bt eax, 1
  guest.set('RIP', 0x8000);
  guest.run(1);
  assert.equal(guest.get('RIP'), 0x8004);
});
