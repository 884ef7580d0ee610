import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KnownBytes, MAX_KNOWN_BYTES } from './known-bytes.ts';

const RING_BYTES = 2 ** 21;

test('what came last is found where it was put, and nothing else', () => {
  const known = new KnownBytes();
  const payload = fc.uint8Array({ minLength: 1, maxLength: 100 });
  assert.equal(known.has(0, new Uint8Array(1)), false);
  fc.assert(
    fc.property(payload, payload, (one, other) => {
      const [a, b] = [known.put(one), known.put(other)];
      assert.ok(known.has(a, one) && known.has(b, other));
      assert.equal(known.has(a, other), Buffer.compare(one, other) === 0);
      assert.equal(known.has(a, one.subarray(1)), false);
      assert.equal(known.has(a, Uint8Array.of(...one, 0)), false);
    }),
  );
});

test('what was written over is not there any more, however it stood', () => {
  for (const size of [1, 3, 257, 1000, MAX_KNOWN_BYTES]) {
    const known = new KnownBytes();
    const all: { place: number; bytes: Uint8Array }[] = [];
    const put = (n: number) => {
      const bytes = new Uint8Array(size).fill(n % 251);
      all.push({ place: known.put(bytes), bytes });
    };
    for (let n = 0; n * (size + 2) < RING_BYTES * 3; n++) put(n);
    const there = all.filter(({ place, bytes }) => known.has(place, bytes)).length;
    const room = Math.floor(RING_BYTES / (size + 2));
    assert.ok(there <= room && there >= room - 2, `${there} of ${size} bytes, room for ${room}`);
    assert.ok(all.slice(-there).every(({ place, bytes }) => known.has(place, bytes)));
  }
});
