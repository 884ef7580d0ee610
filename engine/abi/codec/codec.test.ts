import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { structNames, structOf } from '../layout/structs.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import { fromObject } from './from-object.ts';
import { toObject } from './to-object.ts';

/** Bytes around the size of a struct: too short, right, with a tail; often mostly zero, as real ones are. */
function bytesNear(size: number): fc.Arbitrary<Uint8Array> {
  const length = fc.oneof(
    fc.constant(size),
    fc.integer({ min: 0, max: size }),
    fc.integer({ min: size, max: size + 70 }),
  );
  const byte = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    fc.integer({ min: 0, max: 255 }),
    fc.integer({ min: 0, max: 4 }),
  );
  return length.chain((n) =>
    n > 300
      ? fc
          .array(fc.tuple(fc.nat(n - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 12 })
          .map((spots) => {
            const bytes = new Uint8Array(n);
            for (const [at, value] of spots) bytes[at] = value;
            return bytes;
          })
      : fc.array(byte, { minLength: n, maxLength: n }).map((list) => Uint8Array.from(list)),
  );
}

for (const name of structNames()) {
  const layout = structOf(name);
  test(`${name}: any bytes come back from fields, and from the event text`, () => {
    fc.assert(
      fc.property(bytesNear(layout.size), (bytes) => {
        assert.deepEqual(encode(decode(name, bytes)), bytes);
        const text = JSON.stringify(toObject(layout, bytes));
        const read = fromObject(layout, JSON.parse(text));
        assert.deepEqual(read, { ok: true, bytes }, text);
      }),
      { numRuns: layout.size > 300 ? 15 : 40 },
    );
  });
}
