/** Small guest programs, assembled by hand. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestGuest } from './cpu.testing.ts';

describe('programs', () => {
  test('real mode: a loop prints a string', () => {
    const guest = new TestGuest().real(`
      31 c0          ; xor ax, ax
      8e d8          ; mov ds, ax
      be 10 7c       ; mov si, 0x7c10
      ba f8 03       ; mov dx, 0x3f8
      ac             ; lodsb
      84 c0          ; test al, al
      74 05          ; jz 0x7c14 (hlt)
      ee             ; out dx, al
    `);
    guest.memory.write(0x7c10, [0xeb, 0xf8, 0, 0, 0xf4]);
    guest.memory.write(0x7c04, [0xbe, 0x20, 0x7c]);
    guest.memory.write(0x7c20, Buffer.from('hello\0'));
    assert.equal(guest.console(), 'hello');
  });

  test('32-bit: a checksum over memory', () => {
    const guest = new TestGuest().flat(`
      be 00 90 00 00    ; mov esi, 0x9000
      b9 00 01 00 00    ; mov ecx, 256
      31 db             ; xor ebx, ebx
      c1 c3 03          ; rol ebx, 3
      03 1e             ; add ebx, [esi]
      83 c6 04          ; add esi, 4
      49                ; dec ecx
      75 f5             ; jnz rol
      f4                ; hlt
    `);
    let expected = 0;
    for (let n = 0; n < 256; n += 1) {
      const word = Math.imul(n + 1, 0x9e3779b1) >>> 0;
      guest.memory.write(
        0x9000 + n * 4,
        [word, word >>> 8, word >>> 16, word >>> 24].map((b) => b & 0xff),
      );
      expected = (((expected << 3) | (expected >>> 29)) + word) >>> 0;
    }
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RBX'), expected);
    assert.equal(guest.cpu.executed, 3 + 5 * 256);
  });
});
