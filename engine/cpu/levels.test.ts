/** Privilege levels in 32-bit protected mode: out by IRET, in by a gate and the TSS. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, segmentValue, TestGuest } from './cpu.testing.ts';

const GDT = 0x9000;
const IDT = 0xa000;
const TSS = 0xc000;

/** Starts at level 0, returns to `user` at 0x8100 on level 3; vectors 13 and 0x30 end in HLT at 0xb00d and 0xb030. */
function guestAtLevel3(user: string): TestGuest {
  const guest = new TestGuest().flat(`
    b8 28 00 00 00     ; mov eax, 0x28
    0f 00 d8           ; ltr ax
    6a 23              ; push 0x23 (SS)
    68 00 60 00 00     ; push 0x6000 (ESP)
    68 02 02 00 00     ; push 0x202 (EFLAGS)
    6a 1b              ; push 0x1b (CS)
    68 00 81 00 00     ; push 0x8100 (EIP)
    cf                 ; iretd
  `);
  guest.memory.write(0x8100, bytesOf(user));
  guest.memory.write(
    GDT + 8,
    bytesOf(`
      ff ff 00 00 00 9a cf 00   ; 08: code, level 0
      ff ff 00 00 00 92 cf 00   ; 10: data, level 0
      ff ff 00 00 00 fa cf 00   ; 18: code, level 3
      ff ff 00 00 00 f2 cf 00   ; 20: data, level 3
      67 00 00 c0 00 89 00 00   ; 28: TSS at 0xc000
    `),
  );
  guest.memory.write(TSS + 4, bytesOf('00 50 00 00 10 00 00 00')); // ESP0, SS0
  guest.memory.write(TSS + 0x66, bytesOf('68 00')); // no port bitmap: behind the end
  guest.memory.write(IDT + 13 * 8, bytesOf('0d b0 08 00 00 8e 00 00')); // level 0 only
  guest.memory.write(IDT + 0x30 * 8, bytesOf('30 b0 08 00 00 ee 00 00')); // open to level 3
  guest.memory.write(0xb00d, bytesOf('f4'));
  guest.memory.write(0xb030, bytesOf('f4'));
  guest.set('GDTR', (BigInt(GDT) << 64n) | (0x2fn << 48n));
  guest.set('IDTR', (BigInt(IDT) << 64n) | (0x1ffn << 48n));
  return guest;
}

describe('levels', () => {
  test('IRET goes out, an open gate comes in on the stack of the TSS', () => {
    const guest = guestAtLevel3('b8 11 00 00 00 cd 30'); // mov eax, 0x11; int 0x30
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), 0xb030);
    assert.equal(guest.get('RAX'), 0x11);
    assert.equal(guest.get('RSP'), 0x5000 - 20);
    const frame = [0, 4, 8, 12, 16].map((at) => guest.memory.u32(0x5000 - 20 + at));
    assert.deepEqual(frame, [0x8107, 0x1b, 0x202, 0x6000, 0x23]);
    const segment = guest.cpu.getRegister(0x60002);
    assert.equal(segment, segmentValue(0x10, 0, 0xffffffff, 0xc093));
  });

  test('data segments of level 0 are emptied on the way out', () => {
    const guest = guestAtLevel3('a1 00 90 00 00'); // mov eax, [0x9000] with an empty DS
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), 0xb00d);
    assert.deepEqual([guest.memory.u32(0x5000 - 24), guest.memory.u32(0x5000 - 20)], [0, 0x8100]);
  });

  for (const [name, program, error] of [
    ['CLI', 'fa', 0],
    ['HLT', 'f4', 0],
    ['OUT', 'e6 80', 0],
    ['RDMSR', '0f 32', 0],
    ['MOV from CR0', '0f 20 c0', 0],
    ['INT with a closed gate', 'cd 0d', 13 * 8 + 2],
    ['loading a segment of level 0', '66 b8 10 00 8e d8', 0x10],
  ] as const)
    test(`${name} raises #GP on level 3`, () => {
      const guest = guestAtLevel3(program);
      assert.equal(guest.run().kind, 'halt');
      assert.equal(guest.get('RIP'), 0xb00d);
      assert.equal(guest.memory.u32(0x5000 - 24), error);
      assert.equal(guest.memory.u32(0x5000 - 16), 0x1b);
    });

  test('POPF on level 3 changes neither IF nor IOPL', () => {
    const guest = guestAtLevel3('68 d5 30 00 00 9d 9c 59 cd 30'); // push 0x30d5; popf; pushf; pop ecx; int 0x30
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RCX'), 0x2d7);
  });
});
