/** Long mode: the way in, addresses, fast system calls, interrupts on stacks of their own. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, segmentValue } from './cpu.testing.ts';
import { HANDLERS, LongGuest, le, UPPER } from './long-mode.testing.ts';

describe('long mode', () => {
  test('from 32-bit code to 64-bit code, as a boot loader goes', () => {
    const guest = new LongGuest().flat(`
      0f 20 e0                 ; mov eax, cr4
      83 c8 20                 ; or eax, PAE
      0f 22 e0                 ; mov cr4, eax
      b8 00 00 01 00           ; mov eax, PML4
      0f 22 d8                 ; mov cr3, eax
      b9 80 00 00 c0           ; mov ecx, EFER
      0f 32                    ; rdmsr
      0d 01 09 00 00           ; or eax, NXE | LME | SCE
      0f 30                    ; wrmsr
      0f 20 c0                 ; mov eax, cr0
      0d 00 00 00 80           ; or eax, PG
      0f 22 c0                 ; mov cr0, eax
      ea 00 81 00 00 18 00     ; jmp 0x18:0x8100
    `);
    guest.memory.write(
      0x8100,
      bytesOf(`
        48 b8 f0 de bc 9a 78 56 34 12 ; mov rax, 0x123456789abcdef0
        49 89 c7                      ; mov r15, rax
        48 8d 1d 10 00 00 00          ; lea rbx, [rip + 0x10]
        50 59 f4                      ; push rax; pop rcx; hlt
      `),
    );
    assert.equal(guest.runWithMsrs().kind, 'halt');
    assert.equal(guest.value('R15'), 0x123456789abcdef0n);
    assert.equal(guest.value('RCX'), 0x123456789abcdef0n);
    assert.equal(guest.get('RBX'), 0x8124);
    assert.equal(guest.get('EFER'), 0xd01);
    assert.equal(guest.get('RSP'), 0x7000);
  });

  test('SYSRET, SYSCALL and SWAPGS', () => {
    const guest = new LongGuest().long(`
      b9 00 83 00 00 41 bb 02 02 00 00 ; mov ecx, 0x8300; mov r11d, 0x202
      48 0f 07                         ; sysretq`);
    // mov edi, 0x55; mov rdx, gs:[0x10]; syscall
    guest.memory.write(0x8300, bytesOf('bf 55 00 00 00 65 48 8b 14 25 10 00 00 00 0f 05'));
    // swapgs; mov rsi, gs:[0x10]; swapgs; hlt
    guest.memory.write(0x8400, bytesOf('0f 01 f8 65 48 8b 34 25 10 00 00 00 0f 01 f8 f4'));
    guest.memory.write(0xd010, le(0x1111, 8));
    guest.memory.write(0xe010, le(0x2222, 8));
    guest.set('GS', segmentValue(0, 0xd000, 0, 0));
    guest.set('KERNEL_GS_BASE', UPPER + 0xe000n);
    guest.set('LSTAR', UPPER + 0x8400n);
    guest.set('SFMASK', 0x200);
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual([guest.get('RDX'), guest.get('RSI'), guest.get('RDI')], [0x1111, 0x2222, 0x55]);
    assert.equal(guest.value('RIP'), UPPER + 0x840fn);
    assert.deepEqual([guest.get('RCX'), guest.get('R11')], [0x8310, 0x202]);
    assert.equal(guest.get('RFLAGS') & 0x200, 0);
    assert.equal(guest.value('CS'), segmentValue(0x18, 0, 0xffffffff, 0xa09b));
    assert.equal(guest.value('KERNEL_GS_BASE'), UPPER + 0xe000n);
  });

  test('SMSW with 16 bits writes the low half of its register alone', () => {
    const guest = new LongGuest().long('66 0f 01 e2 f4'); // smsw dx; hlt
    guest.set('RDX', 0x1122334455667788n);
    const sp = guest.get('RSP');
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.value('RDX'), 0x1122334455660000n + BigInt(guest.get('CR0') & 0xffff));
    assert.equal(guest.get('RSP'), sp);
  });

  test('an exception at level 3: the stack of the TSS, aligned, and back by IRETQ', () => {
    const guest = new LongGuest().long('0f 0b 48 ff c0 cc', 3); // ud2; inc rax; int3
    const exit = guest.run();
    assert.equal(guest.get('RIP'), HANDLERS + 6 * 16);
    assert.equal(guest.get('RSP'), 0x5000 - 40);
    const frame = [0, 8, 16, 24, 32].map((at) => guest.u64(0x5000 - 40 + at));
    assert.deepEqual(frame, [0x8000n, 0x3bn, 0x10002n, 0x7000n, 0x33n]);
    assert.equal(guest.value('SS') >> 96n, 0n);
    guest.memory.write(0x5000 - 40, le(0x8002, 8));
    assert.ok(exit.kind === 'halt');
    guest.cpu.skip(exit);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), HANDLERS + 3 * 16);
    assert.equal(guest.get('RAX'), 1);
    // INT3 has an interrupt stack of its own.
    assert.equal(guest.get('RSP'), 0x4000 - 40);
    assert.equal(guest.u64(0x4000 - 40), 0x8006n);
  });

  test('an empty FS or GS keeps its base on the way out to level 3', () => {
    const guest = new LongGuest().long('0f 0b 64 48 8b 04 25 28 00 00 00 65 48 8b 1c 25 08 00 00 00 cc', 3); // ud2; mov rax, fs:[28h]; mov rbx, gs:[8]; int3
    guest.set('FS', segmentValue(0, 0xd000, 0, 0));
    guest.set('GS', segmentValue(3, Number(UPPER) + 0xe000, 0, 0));
    guest.memory.write(0xd028, le(0x1234, 8));
    guest.memory.write(0xe008, le(0x5678, 8));
    const exit = guest.run();
    assert.ok(exit.kind === 'halt');
    guest.memory.write(0x5000 - 40, le(0x8002, 8));
    guest.cpu.skip(exit);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), HANDLERS + 3 * 16);
    assert.deepEqual([guest.get('RAX'), guest.get('RBX')], [0x1234, 0x5678]);
  });

  test('a page fault in the upper half, and an address that is not canonical', () => {
    for (const [address, rip, frame] of [
      [UPPER + 0x1f_ffffn, HANDLERS + 14 * 16, [0n, 0x800an, 0x18n]],
      [0x1_8000_0000_0000n, HANDLERS + 13 * 16, [0n, 0x800an, 0x18n]],
    ] as const) {
      const program = `48 a1 ${Buffer.from(le(address, 8)).toString('hex')}`; // mov rax, [address]
      const guest = new LongGuest().long(
        `48 bb ${Buffer.from(le(address, 8)).toString('hex')} 48 8b 03 ${program}`,
      );
      assert.equal(guest.run().kind, 'halt');
      assert.equal(guest.get('RIP'), rip);
      const sp = guest.get('RSP');
      assert.deepEqual(
        [0, 8, 16].map((at) => guest.u64(sp + at)),
        frame,
      );
      if (rip === HANDLERS + 14 * 16) assert.equal(guest.value('CR2'), address);
    }
  });

  test('a double fault has its stack when the one of the code is gone', () => {
    const guest = new LongGuest().long('0f 0b'); // ud2
    guest.set('RSP', 0x40000000);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), HANDLERS + 8 * 16);
    assert.equal(guest.get('RSP'), 0x4000 - 48);
  });

  test('values that a register has no bits for are #GP', () => {
    for (const [msr, low, high] of [
      ['80 00 00 c0', '00 02 00 00', 0], // EFER
      ['80 00 00 c0', '01 0c 00 00', 0], // EFER without LME, while paging is on
      ['82 00 00 c0', '00 00 00 00', 1 << 16], // LSTAR, not canonical
    ] as const) {
      const guest = new LongGuest().long(
        `b9 ${msr} b8 ${low} ba ${Buffer.from(le(high, 4)).toString('hex')} 0f 30`,
      );
      assert.equal(guest.runWithMsrs().kind, 'halt');
      assert.equal(guest.get('RIP'), HANDLERS + 13 * 16);
    }
  });

  test('32-bit code in long mode has addresses of 32 bits, and what is only 64-bit code is undefined in it', () => {
    const guest = new LongGuest().long('90'); // hlt stands for nothing yet
    guest.set('CS', segmentValue(8, 0, 0xffffffff, 0xc09b));
    for (const name of ['DS', 'ES', 'SS']) guest.set(name, segmentValue(0x10, 0, 0xffffffff, 0xc093));
    guest.memory.write(0x8000, bytesOf('b8 ff ff ff ff 40 8b 98 10 d0 00 00 0f 05')); // inc eax; mov ebx, [eax + 0xd010]; syscall
    guest.memory.write(0xd010, [7]);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RBX'), 7);
    assert.equal(guest.get('RIP'), HANDLERS + 6 * 16);
    assert.equal(guest.u64(guest.get('RSP')), 0x800cn);
  });

  test('SYSENTER from level 3, and SYSEXIT to 64-bit and to 32-bit code', () => {
    const guest = new LongGuest().long('0f 34', 3);
    guest.set('RFLAGS', 0x202);
    guest.set('SYSENTER_CS', 0x18);
    guest.set('SYSENTER_EIP', 0x8800);
    guest.set('SYSENTER_ESP', UPPER + 0x6800n);
    guest.set('RCX', 0x1_0000_7000n);
    guest.set('RDX', 0x8900);
    guest.memory.write(0x8800, bytesOf('f4 0f 35')); // hlt; sysexit
    const entered = guest.run();
    assert.ok(entered.kind === 'halt');
    assert.deepEqual([guest.get('RIP'), guest.value('RSP')], [0x8800, UPPER + 0x6800n]);
    assert.equal(guest.get('RFLAGS') & 0x200, 0);
    assert.equal(guest.value('CS'), segmentValue(0x18, 0, 0xffffffff, 0xa09b));
    assert.equal(guest.value('SS'), segmentValue(0x20, 0, 0xffffffff, 0xc093));
    guest.cpu.skip(entered);
    guest.cpu.run(1);
    assert.deepEqual([guest.get('RIP'), guest.value('RSP')], [0x8900, 0x7000n]);
    assert.equal(guest.value('CS'), segmentValue(0x2b, 0, 0xffffffff, 0xc0fb));
    const wide = new LongGuest().long('48 0f 35'); // with REX.W
    wide.set('SYSENTER_CS', 0x18);
    wide.set('RCX', 0x1_0000_7000n);
    wide.set('RDX', 0x8900);
    wide.cpu.run(1);
    assert.deepEqual([wide.get('RIP'), wide.value('RSP')], [0x8900, 0x1_0000_7000n]);
    assert.equal(wide.value('CS'), segmentValue(0x3b, 0, 0xffffffff, 0xa0fb));
  });

  test('SYSENTER needs a selector, SYSEXIT level 0 and addresses that are canonical', () => {
    const ends = (program: string, level: 0 | 3, selector: number, rdx = 0n) => {
      const guest = new LongGuest().long(program, level);
      guest.set('SYSENTER_CS', selector);
      guest.set('RDX', rdx);
      guest.run();
      return guest.get('RIP');
    };
    assert.equal(ends('0f 34', 3, 0), HANDLERS + 13 * 16);
    assert.equal(ends('0f 35', 3, 0x18), HANDLERS + 13 * 16);
    assert.equal(ends('48 0f 35', 0, 0x18, 1n << 47n), HANDLERS + 13 * 16);
  });
});
