import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteTable } from './byte-table.ts';

const SMALL = fc.uint8Array({ maxLength: 3, max: 3 });
const LARGE = fc.nat(200_000).map((size) => new Uint8Array(size).fill(size & 0xff, size >> 1));

test('equal bytes have one number, different ones different numbers, and each gives its bytes back', () => {
  const one = fc.oneof({ weight: 20, arbitrary: SMALL }, { weight: 5, arbitrary: fc.uint8Array() }, LARGE);
  fc.assert(
    fc.property(fc.array(one, { maxLength: 600, size: 'max' }), (all) => {
      const [table, numbers] = [new ByteTable(), new Map<string, number>()];
      for (const bytes of all) {
        const text = Buffer.from(bytes).toString('latin1');
        const known = numbers.get(text);
        const given = bytes.slice();
        assert.deepEqual(table.number(given), {
          number: known ?? numbers.size + 1,
          isNew: known === undefined,
        });
        given.fill(7);
        numbers.set(text, known ?? numbers.size + 1);
      }
      const expected = [...numbers.keys()].map((text) => new Uint8Array(Buffer.from(text, 'latin1')));
      assert.equal(table.length, expected.length);
      assert.deepEqual([...table], expected);
      assert.deepEqual(table.slice(1, 4), expected.slice(1, 4));
      assert.deepEqual([table.at(-1), table.at(expected.length)], [expected.at(-1), undefined]);
    }),
    { numRuns: 20 },
  );
});

test('takes the bytes and some 20 more for each', () => {
  const before = process.memoryUsage().arrayBuffers;
  const table = new ByteTable();
  const bytes = new Uint8Array(64);
  for (let n = 0; n < 50_000; n++) {
    new DataView(bytes.buffer).setUint32(30, n);
    table.number(bytes);
  }
  const took = process.memoryUsage().arrayBuffers - before;
  assert.ok(took / table.length < 64 + 40, `${took / table.length} bytes`);
});
