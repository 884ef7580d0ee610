/** REP MOVS and REP STOS: the same for any count, alignment and overlap, one by one or many at once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestGuest } from './cpu.testing.ts';

const FROM = 0x10000;
const SIZES = { 1: ['a4', 'aa'], 2: ['66a5', '66ab'], 4: ['a5', 'ab'] } as const;

interface Try {
  readonly size: 1 | 2 | 4;
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** From 3.9 to 12.1 KiB, aligned or not, behind and before themselves. */
const TRIES: readonly Try[] = ([1, 2, 4] as const).flatMap((size) =>
  [0, 1, 3, 8, 4096, 4099, -1, -4].flatMap((distance) =>
    [7, 8, 1000, 3100].map((count) => ({ size, from: FROM + 0x123, to: FROM + 0x123 + distance, count })),
  ),
);

const content = (at: number): number => (at * 7 + (at >> 8)) & 0xff;

function ran({ size, from, to, count }: Try, which: 0 | 1): TestGuest {
  const guest = new TestGuest().flat(`f3${SIZES[size][which]}f4`);
  guest.memory.write(
    FROM,
    Array.from({ length: 0x8000 }, (_, at) => content(at)),
  );
  const registers = { RSI: from, RDI: to, RCX: count, RAX: 0x1234_5678 };
  for (const [name, value] of Object.entries(registers)) guest.set(name, value);
  assert.equal(guest.run().kind, 'halt');
  const end = { RCX: 0, RDI: to + count * size, RSI: which === 0 ? from + count * size : from };
  for (const [name, value] of Object.entries(end)) assert.equal(guest.get(name), value, name);
  return guest;
}

/** What the memory holds after it, element by element. */
function expected({ size, from, to, count }: Try, which: 0 | 1): Uint8Array {
  const bytes = Uint8Array.from({ length: 0x8000 }, (_, at) => content(at));
  for (let n = 0; n < count * size; n += size) {
    const element =
      which === 0
        ? bytes.slice(from - FROM + n, from - FROM + n + size)
        : Uint8Array.from([0x78, 0x56, 0x34, 0x12]).subarray(0, size);
    bytes.set(element, to - FROM + n);
  }
  return bytes;
}

describe('many elements of a string', () => {
  for (const [which, name] of ['REP MOVS', 'REP STOS'].entries())
    test(name, () => {
      for (const one of TRIES) {
        const guest = ran(one, which as 0 | 1);
        assert.deepEqual(guest.memory.read(FROM, 0x8000), expected(one, which as 0 | 1), JSON.stringify(one));
      }
    });

  test('a store to code is seen', () => {
    // rep stosb over what follows it: nop; nop; … becomes hlt.
    const guest = new TestGuest().flat('f3aa 90909090 90909090 90909090 90909090 0f0b');
    const registers = { RDI: 0x8002, RCX: 16, RAX: 0xf4 };
    for (const [name, value] of Object.entries(registers)) guest.set(name, value);
    assert.equal(guest.run().kind, 'halt');
    assert.equal(guest.get('RIP'), 0x8002);
  });
});
