import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packPayload, unpackPayload } from './payload-pack.ts';

/** Runs of zeros, of bytes without zeros, and of anything. */
const payload = fc
  .array(
    fc.oneof(
      fc.nat(2100).map((n) => new Uint8Array(n)),
      fc.uint8Array({ min: 1, maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

test('a packed payload comes back as it was, and is shorter', () => {
  let packedOnce = 0;
  fc.assert(
    fc.property(payload, (bytes) => {
      const packed = packPayload(bytes);
      if (packed === undefined) return;
      packedOnce += 1;
      assert.ok(packed.length <= bytes.length - (bytes.length >> 3));
      assert.deepEqual(packed.subarray(0, 8), bytes.subarray(0, 8));
      assert.deepEqual(unpackPayload(packed, bytes.length), bytes);
    }),
    { numRuns: 2000 },
  );
  assert.ok(packedOnce > 500, `only ${packedOnce} payloads were packed`);
});

test('any bytes unpack to the size asked for or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(5000), (packed, size) => {
      const bytes = unpackPayload(packed, size);
      assert.ok(bytes === undefined || bytes.length === size);
    }),
    { numRuns: 5000 },
  );
});

test('a longer or shorter size than was packed is refused', () => {
  const bytes = new Uint8Array(256);
  bytes.set([1, 0, 1, 0x80, 80, 0, 0, 0, 7]);
  const packed = packPayload(bytes);
  assert.ok(packed !== undefined && packed.length < 16);
  assert.equal(unpackPayload(packed, 264), undefined);
  assert.equal(unpackPayload(packed, 248), undefined);
});
