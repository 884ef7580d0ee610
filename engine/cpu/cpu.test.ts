/** Small guest programs, assembled by hand, that run to their end. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOf, reg, segmentValue, TestGuest } from './cpu.testing.ts';
import { isProcessorRegister } from './index.ts';

const words = (values: readonly number[]): number[] =>
  values.flatMap((v) => [v & 0xff, (v >>> 8) & 0xff, (v >>> 16) & 0xff, v >>> 24]);

describe('programs', () => {
  test('real mode: a loop prints a string', () => {
    for (const text of ['hello', 'another text\n']) {
      const guest = new TestGuest().real(`
        31 c0          ; 7c00 xor ax, ax
        8e d8          ; 7c02 mov ds, ax
        be 20 7c       ; 7c04 mov si, 0x7c20
        ba f8 03       ; 7c07 mov dx, 0x3f8
        ac             ; 7c0a lodsb
        84 c0          ; 7c0b test al, al
        74 03          ; 7c0d jz 0x7c12
        ee             ; 7c0f out dx, al
        eb f8          ; 7c10 jmp 0x7c0a
        f4             ; 7c12 hlt
      `);
      guest.memory.write(0x7c20, Buffer.from(`${text}\0`));
      assert.equal(guest.console(), text);
    }
  });

  test('32-bit: a checksum over memory', () => {
    for (const count of [1, 7, 256]) {
      const guest = new TestGuest().flat(`
        be 00 90 00 00    ; mov esi, 0x9000
        31 db             ; xor ebx, ebx
        c1 c3 03          ; rol ebx, 3
        03 1e             ; add ebx, [esi]
        83 c6 04          ; add esi, 4
        49                ; dec ecx
        75 f5             ; jnz rol
        f4                ; hlt
      `);
      guest.set('RCX', count);
      const data = Array.from({ length: count }, (_, n) => Math.imul(n + 1, 0x9e3779b1) >>> 0);
      guest.memory.write(0x9000, words(data));
      const expected = data.reduce((sum, word) => (((sum << 3) | (sum >>> 29)) + word) >>> 0, 0);
      assert.equal(guest.run().kind, 'halt');
      assert.equal(guest.get('RBX'), expected);
      assert.equal(guest.cpu.executed, 2 + 5 * count);
    }
  });

  test('real mode to flat 32-bit and back, as boot code does it', () => {
    const guest = new TestGuest().real(`
      fa                       ; 7c00 cli
      0f 01 16 60 7c           ; 7c01 lgdt [0x7c60]
      0f 20 c0                 ; 7c06 mov eax, cr0
      0c 01                    ; 7c09 or al, 1
      0f 22 c0                 ; 7c0b mov cr0, eax
      66 ea 16 7c 00 00 08 00  ; 7c0e jmp dword 8:0x7c16
      b8 10 00 00 00           ; 7c16 mov eax, 16
      8e d8                    ; 7c1b mov ds, eax
      c7 05 00 00 01 00 78 56 34 12 ; 7c1d mov dword [0x10000], 0x12345678
      ea 2e 7c 00 00 18 00     ; 7c27 jmp 0x18:0x7c2e
      0f 20 c0                 ; 7c2e mov eax, cr0 (16-bit code again)
      24 fe                    ; 7c31 and al, 0xfe
      0f 22 c0                 ; 7c33 mov cr0, eax
      ea 3b 7c 00 00           ; 7c36 jmp 0:0x7c3b
      67 66 a1 00 00 01 00     ; 7c3b mov eax, [dword 0x10000]: DS is still flat (unreal mode)
      f4                       ; 7c42 hlt
    `);
    guest.memory.write(0x7c60, bytesOf('1f 00 70 7c 00 00'));
    guest.memory.write(
      0x7c70,
      bytesOf(`
        00 00 00 00 00 00 00 00
        ff ff 00 00 00 9b cf 00   ; 08: flat 32-bit code
        ff ff 00 00 00 93 cf 00   ; 10: flat data
        ff ff 00 00 00 9b 00 00   ; 18: 16-bit code
      `),
    );
    assert.deepEqual(guest.run(), { kind: 'halt', instructionLength: 1 });
    assert.equal(guest.get('RAX'), 0x12345678);
    assert.equal(guest.get('RIP'), 0x7c42);
    assert.equal(guest.get('CR0') & 1, 0);
    assert.equal(guest.memory.u32(0x10000), 0x12345678);
  });

  test('real mode: INT n and IRET through the vector table', () => {
    const guest = new TestGuest().real(`
      fb                ; 7c00 sti
      f9                ; 7c01 stc
      cd 21             ; 7c02 int 0x21
      f4                ; 7c04 hlt
    `);
    guest.memory.write(0x21 * 4, bytesOf('00 05 00 01')); // 0100:0500
    guest.memory.write(
      0x1500,
      bytesOf(`
        9c                ; pushf: IF is off here
        5b                ; pop bx
        b8 34 12          ; mov ax, 0x1234
        cf                ; iret
      `),
    );
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RAX') & 0xffff, 0x1234);
    assert.equal(guest.get('RBX') & 0x201, 1);
    assert.equal(guest.get('RFLAGS') & 0x201, 0x201);
    assert.equal(guest.get('RSP'), 0x7000);
    assert.equal(guest.get('RIP'), 0x7c04);
  });

  test('real mode: 16-bit addresses and the stack pointer wrap', () => {
    const guest = new TestGuest().real(`
      bb ff ff          ; mov bx, 0xffff
      be 02 80          ; mov si, 0x8002
      8a 00             ; mov al, [bx+si]: 0x8001
      bc 02 00          ; mov sp, 2
      50                ; push ax
      50                ; push ax: at 0xfffe
      f4                ; hlt
    `);
    guest.memory.write(0x8001, [0x5a]);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RAX'), 0x5a);
    assert.equal(guest.get('RSP'), 0xfffe);
    assert.deepEqual([...guest.memory.read(0xfffe, 2)], [0x5a, 0]);
  });

  test('32-bit: an exception goes through the descriptor table with its error code', () => {
    const guest = new TestGuest().flat(`
      b8 28 00 00 00    ; mov eax, 0x28
      8e d8             ; mov ds, eax: behind the limit of the table, #GP(0x28)
      f4                ; hlt
    `);
    guest.set('GDTR', (0x9000n << 64n) | (0x17n << 48n));
    guest.memory.write(0x9008, bytesOf('ff ff 00 00 00 9b cf 00  ff ff 00 00 00 93 cf 00'));
    guest.set('IDTR', (0xa000n << 64n) | (0xffn << 48n));
    guest.memory.write(0xa000 + 13 * 8, bytesOf('00 b0 08 00 00 8e 00 00'));
    guest.memory.write(0xb000, bytesOf('5b 59 f4')); // pop ebx (error code); pop ecx (EIP); hlt
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), 0xb002);
    assert.equal(guest.get('RBX'), 0x28);
    assert.equal(guest.get('RCX'), 0x8005);
  });

  test('an exception without a handler, and without one for the double fault, shuts down', () => {
    const guest = new TestGuest().flat('0f 0b'); // ud2
    guest.set('IDTR', 0n);
    assert.deepEqual(guest.run(), { kind: 'shutdown' });
    assert.equal(guest.get('RIP'), 0x8000);
  });

  test('string instructions cross pages, in both directions', () => {
    for (const [flags, start] of [
      [0, 0],
      [0x400, 4999],
    ] as const) {
      const guest = new TestGuest().flat('f3 a4 f4'); // rep movsb; hlt
      const data = Array.from({ length: 5000 }, (_, n) => (n * 7 + 3) & 0xff);
      guest.memory.write(0x9f81, data);
      guest.set('RSI', 0x9f81 + start);
      guest.set('RDI', 0x10003 + start);
      guest.set('RCX', 5000);
      guest.set('RFLAGS', 2 | flags);
      assert.equal(guest.run().kind, 'halt');
      assert.deepEqual([...guest.memory.read(0x10003, 5000)], data);
      assert.equal(guest.get('RCX'), 0);
    }
  });

  test('operands that cross pages are read and written whole', () => {
    const guest = new TestGuest().flat(`
      a1 fe 8f 00 00    ; mov eax, [0x8ffe]
      01 05 fd 9f 00 00 ; add [0x9ffd], eax
      f4                ; hlt
    `);
    guest.memory.write(0x8ffe, words([0x01020304]));
    guest.memory.write(0x9ffd, words([0x10000000]));
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.memory.u32(0x9ffd), 0x11020304);
  });

  test('an instruction that lies in two pages is executed', () => {
    const guest = new TestGuest().flat('b8 78 56 34 12 f4', 0x8ffd); // mov eax, 0x12345678; hlt
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RAX'), 0x12345678);
  });
});

describe('self-modifying code', () => {
  test('a store into the very block takes effect on the next instruction', () => {
    const guest = new TestGuest().flat(`
      c6 05 08 80 00 00 2a  ; 8000 mov byte [0x8008], 42
      b0 01                 ; 8007 mov al, 1: becomes mov al, 42
      f4                    ; 8009 hlt
    `);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RAX'), 42);
  });

  test('a loop that rewrites its own immediate sees every value', () => {
    const guest = new TestGuest().flat(`
      b9 64 00 00 00        ; 8000 mov ecx, 100
      05 00 00 00 00        ; 8005 add eax, 0: the immediate is rewritten
      ff 05 06 80 00 00     ; 800a inc dword [0x8006]
      49                    ; 8010 dec ecx
      75 f2                 ; 8011 jnz 0x8005
      f4                    ; 8013 hlt
    `);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RAX'), (99 * 100) / 2);
  });

  test('REP STOS over itself goes on to its end, and what follows is what it wrote', () => {
    const guest = new TestGuest().flat(`
      bf 00 80 00 00        ; 8000 mov edi, 0x8000
      b9 20 00 00 00        ; 8005 mov ecx, 32
      b0 f4                 ; 800a mov al, 0xf4 (hlt)
      f3 aa                 ; 800c rep stosb: overwrites itself
      90 90                 ; 800e
    `);
    assert.equal(guest.run().kind, 'halt');
    assert.deepEqual([guest.get('RIP'), guest.get('RCX')], [0x800e, 0]);
  });

  test('what the host writes between two runs is seen without being told', () => {
    const guest = new TestGuest().flat('b0 01 f4'); // mov al, 1; hlt
    assert.equal(guest.run().kind, 'halt');
    guest.memory.write(0x8001, [7]);
    guest.set('RIP', 0x8000);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RAX'), 7);
  });
});

test('segment registers hold what was written, in the layout of hv_x64_segment_register', () => {
  const guest = new TestGuest();
  const value = segmentValue(0x23, 0x12340, 0xfffff, 0xc0f3);
  guest.set('FS', value);
  assert.equal(guest.cpu.getRegister(0x60004), value);
});

test('the processor has the registers that instructions work on; others are kept as written', () => {
  const guest = new TestGuest();
  const sint0 = 0x000a0000;
  assert.equal(isProcessorRegister(reg('RIP')), true);
  assert.equal(isProcessorRegister(sint0), false);
  guest.cpu.setRegister(sint0, 0x10042n);
  assert.equal(guest.cpu.getRegister(sint0), 0x10042n);
  guest.set('GDTR', (0x12345678n << 64n) | (0x1fn << 48n));
  assert.equal(guest.cpu.getRegister(reg('GDTR')), (0x12345678n << 64n) | (0x1fn << 48n));
  guest.set('RFLAGS', 0x8d7);
  assert.equal(guest.get('RFLAGS'), 0x8d7);
});
