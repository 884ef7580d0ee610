import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reg, segmentValue, TestGuest } from './cpu.testing.ts';

const REGISTERS = ['RAX', 'RBX', 'RCX', 'RDX', 'RSI', 'RDI', 'RSP', 'RBP', 'RIP', 'RFLAGS'];
const state = (guest: TestGuest): bigint[] => REGISTERS.map((name) => guest.cpu.getRegister(reg(name)));

/** A loop of blocks in a page: a branch, calls in the page and out of it, narrow operands, and a store and a load on the stack. */
const LOOP = `
  b9 05 00 00 00           ; mov ecx, 5
  e8 14 00 00 00           ; call inner (801eh)
  e8 f1 0f 00 00           ; call outer (9000h)
  f6 c1 01                 ; test cl, 1 (800fh)
  74 03                    ; jz +3
  83 c3 05                 ; add ebx, 5
  49                       ; dec ecx (8017h)
  75 eb                    ; jnz 8005h
  f4                       ; hlt (801ah)
  90 90 90
  50                       ; push eax (801eh)
  88 4c 24 02              ; mov [esp + 2], cl
  0f b6 54 24 02           ; movzx edx, byte [esp + 2]
  c1 e2 03                 ; shl edx, 3
  01 d0                    ; add eax, edx
  5f                       ; pop edi
  c3                       ; ret`;
const OUTER = '8d 74 86 07 85 f6 78 01 40 c3'; // lea esi, [esi + eax * 4 + 7]; test esi, esi; js +1; inc eax; ret

function looping(): TestGuest {
  const guest = new TestGuest().flat(LOOP);
  guest.memory.write(
    0x9000,
    OUTER.split(' ').map((byte) => Number.parseInt(byte, 16)),
  );
  return guest;
}

describe('blocks that run one after another', () => {
  it('stop after exactly as many instructions as were asked for', () => {
    const whole = looping();
    assert.equal(whole.run().kind, 'halt');
    const steps = whole.cpu.executed;
    const single = looping();
    for (let n = 1; n <= steps; n += 1) {
      assert.equal(single.run(1).kind, 'budget');
      const many = looping();
      assert.equal(many.run(n).kind, 'budget');
      assert.equal(many.cpu.executed, n);
      assert.deepEqual(state(many), state(single), `after ${n} instructions`);
    }
    assert.equal(single.run(1).kind, 'halt');
    assert.deepEqual(state(single), state(whole));
    assert.equal(whole.get('RBX'), 15);
  });

  it('see what they store into code of their own page, a call too', () => {
    const guest = new TestGuest().flat(`
      b9 03 00 00 00           ; mov ecx, 3
      fe 05 0f 80 00 00        ; inc byte [800fh] (8005h)
      eb 02                    ; jmp 800fh - 2
      90 90
      b8 40 00 00 00           ; mov eax, 40h (800fh is its opcode's place)
      49                       ; dec ecx
      75 ee                    ; jnz 8005h
      f4`);
    // inc turns b8 (mov eax) into b9, ba, bb: ecx, edx, ebx get 40h in turn.
    assert.equal(guest.run(12).kind, 'budget');
    assert.equal(guest.get('RAX'), 0);
    assert.equal(guest.get('RDX'), 0x40);
    const call = new TestGuest().flat('bc 10 80 00 00 e8 05 00 00 00 90 90 90 90 90 40 40 40 40 40 f4');
    // mov esp, 8010h; call 800fh: the return address, 0000800ah, is stored over 800ch to 800fh.
    assert.equal(call.run().kind, 'halt');
    assert.equal(call.get('RAX'), 2, 'the first INC has become 00 40 40: ADD [EAX + 40h], AL');
  });

  it('raise #GP at the target where the segment ends within the page', () => {
    const guest = new TestGuest().flat('31 c0 eb 0c', 0x8000);
    guest.set('CS', segmentValue(8, 0, 0x8007, 0x409b));
    guest.set('IDTR', 0n);
    assert.equal(guest.run().kind, 'shutdown');
    assert.equal(guest.get('RIP'), 0x8002);
  });

  it('leave the stack pointer alone where a return goes beyond the segment', () => {
    const guest = new TestGuest().flat('31 c0 eb 00 c3', 0x8000);
    guest.set('CS', segmentValue(8, 0, 0x8fff, 0x409b));
    guest.set('IDTR', 0n);
    guest.memory.write(0x7000, [0, 0x90, 0, 0]);
    assert.equal(guest.run().kind, 'shutdown');
    assert.deepEqual([guest.get('RIP'), guest.get('RSP')], [0x8004, 0x7000]);
  });
});
