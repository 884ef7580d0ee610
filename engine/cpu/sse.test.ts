/** SSE beside what the host's processor is asked about (test/cpu): state, who may use it, what is said of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, guarded, OSFXSR, reg, type TestGuest } from './cpu.testing.ts';
import { bitsOfSingle, singleOf } from './exec-sse/single.ts';
import { squareRoot } from './exec-sse/square-root.ts';

describe('XSAVE', () => {
  const OSXSAVE = 0x40000;
  const AREA = 0xd000;
  const SAVE = '0f ae 25 00 d0 00 00'; // xsave [0xd000]
  const RESTORE = '0f ae 2d 00 d0 00 00';
  const saving = (program: string, states = 3): TestGuest => {
    const guest = guarded(`b8 03 00 00 00 31 d2 ${program} f4`, 0x11, OSFXSR | OSXSAVE); // mov eax, 3; xor edx, edx
    guest.set('XFEM', states);
    return guest;
  };

  test('XGETBV and XSETBV: the states that there are', () => {
    const guest = saving('31 c9 0f 01 d1 31 c0 0f 01 d0', 0); // xor ecx, ecx; xsetbv; xor eax, eax; xgetbv
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual([guest.get('RAX'), guest.get('RDX'), guest.get('XFEM')], [3, 0, 3]);
    assert.equal(guest.get('RIP'), 0x8000 + 17);
    const first = saving('31 c9 0f 01 d0', 0);
    first.run();
    assert.equal(first.get('RAX'), 1);
    for (const [program, vector] of [
      ['b8 07 00 00 00 31 c9 0f 01 d1', 13], // AVX
      ['b8 02 00 00 00 31 c9 0f 01 d1', 13], // without x87
      ['b9 01 00 00 00 0f 01 d0', 13],
    ] as const) {
      const wrong = saving(program);
      wrong.run();
      assert.equal(wrong.get('RIP'), 0xb010 + vector);
    }
    const off = guarded('0f 01 d0');
    off.run();
    assert.equal(off.get('RIP'), 0xb010 + 6);
  });

  test('a state that is asked for and enabled is saved, and comes back; one that is not there is as after reset', () => {
    const guest = saving(`${SAVE} 66 0f ef c0 d9 ee ${RESTORE}`); // pxor xmm0, xmm0; fldz
    guest.set('XMM0', 5);
    guest.set('FP_CONTROL_STATUS', 0x37f);
    guest.memory.write(AREA + 512, bytesOf('04'));
    const refused = saving(RESTORE);
    refused.memory.write(AREA + 512, bytesOf('04'));
    refused.run();
    assert.equal(refused.get('RIP'), 0xb010 + 13);
    guest.cpu.run(3);
    // The x87 unit is as after FNINIT; bits of states that nobody asked for stay.
    assert.equal(guest.memory.u32(AREA + 512), 6);
    guest.memory.write(AREA + 512, bytesOf('02'));
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('XMM0'), 5);
    assert.equal(guest.cpu.getRegister(reg('FP_CONTROL_STATUS')), 0x37fn);
  });

  test('without a state it is not touched', () => {
    const guest = saving(SAVE, 1);
    guest.set('XMM0', 5);
    guest.memory.write(AREA + 160, bytesOf('77'));
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual([guest.memory.u32(AREA + 160), guest.memory.u32(AREA + 24)], [0x77, 0]);
  });

  for (const [what, at, bytes] of [
    ['bytes of the header that are none', AREA + 520, '01'],
    ['MXCSR with bits that are none', AREA + 24, '00 00 01 00'],
  ] as const)
    test(`#GP for ${what}`, () => {
      const guest = saving(RESTORE);
      guest.memory.write(at, bytesOf(bytes));
      guest.run();
      assert.equal(guest.get('RIP'), 0xb010 + 13);
    });

  test('CPUID says so where the answer does: OSXSAVE by CR4, an area for two states', () => {
    const seen = (leaf: number, subleaf: number, cr4: number, answer: number): number[] => {
      const guest = guarded('0f a2 f4', 0x11, cr4); // cpuid
      guest.set('RAX', leaf);
      guest.set('RCX', subleaf);
      const exit = guest.run();
      assert.ok(exit.kind === 'cpuid');
      guest.cpu.completeCpuid(exit, { eax: answer, ebx: -1, ecx: answer, edx: -1 });
      return ['RAX', 'RBX', 'RCX', 'RDX'].map((name) => guest.get(name));
    };
    assert.deepEqual(seen(0xd, 0, OSFXSR, 0xe7), [3, 576, 576, 0]);
    assert.deepEqual(seen(0xd, 0, OSFXSR, 0), [0, 0, 0, 0]);
    assert.deepEqual(seen(0xd, 1, OSFXSR, 0xf), [1, 0, 0, 0]);
    assert.deepEqual(seen(0xd, 2, OSFXSR, 0x100), [0, 0, 0, 0]);
    const bits = (cr4: number, answer: number): number => ((seen(1, 0, cr4, answer)[2] as number) >>> 26) & 3;
    assert.deepEqual([bits(OSFXSR, -1), bits(OSFXSR | OSXSAVE, -1), bits(OSFXSR | OSXSAVE, 0)], [1, 3, 0]);
  });
});

describe('SSE', () => {
  test('FXSAVE and FXRSTOR carry the registers and MXCSR', () => {
    const guest = guarded(`
      0f ae 05 00 d0 00 00   ; fxsave [0xd000]
      66 0f ef c0            ; pxor xmm0, xmm0
      0f ae 15 00 d4 00 00   ; ldmxcsr [0xd400]
      0f ae 0d 00 d0 00 00   ; fxrstor [0xd000]
      f4
    `);
    guest.set('XMM0', 0x1111_2222_3333_4444_5555_6666_7777_8888n);
    guest.set('XMM7', 7);
    guest.memory.write(0xd400, bytesOf('80 3f 00 00'));
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.cpu.getRegister(reg('XMM0')), 0x1111_2222_3333_4444_5555_6666_7777_8888n);
    assert.equal(guest.memory.u32(0xd000 + 160), 0x7777_8888);
    assert.equal(guest.memory.u32(0xd000 + 160 + 7 * 16), 7);
    assert.equal(guest.memory.u32(0xd000 + 24), 0x1f80);
    assert.equal(guest.memory.u32(0xd000 + 28), 0xffff);
    assert.equal((guest.cpu.getRegister(reg('XMM_CONTROL_STATUS')) >> 64n) & 0xffffn, 0x1f80n);
  });

  test('what an instruction has changed is told', () => {
    const guest = guarded('66 0f 76 c9 f4'); // pcmpeqd xmm1, xmm1
    guest.cpu.changedRegisters();
    assert.equal(guest.run().kind, 'halt');
    assert.ok(guest.cpu.changedRegisters().includes(reg('XMM1')));
    assert.equal(guest.cpu.getRegister(reg('XMM1')), (1n << 128n) - 1n);
  });

  for (const [name, program, cr0, cr4, vector] of [
    ['without OSFXSR', '0f 57 c0', 0x11, 0, 6],
    ['with EM', '0f 57 c0', 0x15, OSFXSR, 6],
    ['with TS', '0f 57 c0', 0x19, OSFXSR, 7],
    ['with an operand that is not aligned', '0f 58 05 04 d0 00 00', 0x11, OSFXSR, 13],
    ['with bits of MXCSR that are none', '0f ae 15 00 d4 00 00', 0x11, OSFXSR, 13],
  ] as const)
    test(`an exception ${name}`, () => {
      const guest = guarded(program, cr0, cr4);
      guest.memory.write(0xd400, bytesOf('00 00 01 00'));
      assert.equal(guest.run().kind, 'halt');
      assert.equal(guest.get('RIP'), 0xb010 + vector);
    });

  test('arithmetic rounds as MXCSR says, and its flags stick', () => {
    const oneAndABit = (control: bigint): [bigint, bigint] => {
      const guest = guarded('f2 0f 58 c1 f4'); // addsd xmm0, xmm1
      guest.set('XMM_CONTROL_STATUS', control << 64n);
      guest.set('XMM0', 0x3ff0_0000_0000_0000n);
      guest.set('XMM1', 0x3c00_0000_0000_0000n);
      assert.equal(guest.run().kind, 'halt');
      const mxcsr = (guest.cpu.getRegister(reg('XMM_CONTROL_STATUS')) >> 64n) & 0xffffn;
      return [guest.cpu.getRegister(reg('XMM0')), mxcsr];
    };
    const one = 0x3ff0_0000_0000_0000n;
    assert.deepEqual(oneAndABit(0x1f80n), [one, 0x1fa0n]);
    assert.deepEqual(oneAndABit(0x3f80n), [one, 0x3fa0n]);
    assert.deepEqual(oneAndABit(0x5f80n), [one + 1n, 0x5fa0n]);
    assert.deepEqual(oneAndABit(0x7f81n), [one, 0x7fa1n]);
  });

  for (const [what, cr4, vector] of [
    ['#XM', OSFXSR | 0x400, 19],
    ['#UD where the system does not know #XM', OSFXSR, 6],
  ] as const)
    test(`an exception that is not masked is ${what}, and changes nothing but its flag`, () => {
      const guest = guarded('0f 5e c1', 0x11, cr4); // divps xmm0, xmm1
      const before = 0x3f80_0000_3f80_0000_3f80_0000_3f80_0000n;
      guest.set('XMM_CONTROL_STATUS', 0x1d80n << 64n);
      guest.set('XMM0', before);
      guest.set('XMM1', 0x4040_0000_0000_0000_4040_0000_4040_0000n);
      assert.equal(guest.run().kind, 'halt');
      assert.equal(guest.get('RIP'), 0xb010 + vector);
      assert.equal(guest.cpu.getRegister(reg('XMM0')), before);
      // The division by zero is told, not that the others are inexact.
      assert.equal((guest.cpu.getRegister(reg('XMM_CONTROL_STATUS')) >> 64n) & 0x3fn, 4n);
    });
});

test('numbers of single precision are rounded as Float32Array rounds them', () => {
  const single = new Float32Array(1);
  const bits = new Int32Array(single.buffer);
  const values = [
    0,
    -0,
    1,
    1 / 3,
    -2 / 3,
    16777217,
    16777219,
    3.4028235677973366e38,
    3.5e38,
    Infinity,
    -Infinity,
  ];
  for (let n = 1; n < 200; n += 1) values.push(1.1754943508222875e-38 / n, 7e-46 * n, 1.4e-45 / n, -n / 7e44);
  for (const value of values) {
    single[0] = value;
    assert.equal(bitsOfSingle(value), bits[0], `${value}`);
    assert.ok(Object.is(singleOf(bits[0]!), single[0]), `${value}`);
  }
});

test('square roots are those of Math.sqrt', () => {
  for (const value of [
    0,
    -0,
    1,
    2,
    3,
    4,
    1e-320,
    5e-324,
    1.7976931348623157e308,
    0.1,
    123456789.125,
    Infinity,
  ])
    assert.ok(Object.is(squareRoot(value), Math.sqrt(value)), `${value}`);
  for (let n = 1; n < 300; n += 1) assert.equal(squareRoot(n / 7), Math.sqrt(n / 7));
  assert.ok(Number.isNaN(squareRoot(-1)));
});
