import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ObjectTable } from './object-table.ts';
import { cell, objectKind } from './schema.ts';
import { type Key, keyOf, type ObjectId, type ObjectRow, TOP } from './store.ts';

const A = objectKind('a', undefined, 'decimal', { x: cell() });
const KINDS = ['b', 'c', 'd'].map((name) => objectKind(name, A, 'hex', { x: cell() }));
const key = fc.oneof(fc.nat(20), fc.maxSafeNat(), fc.bigInt(0n, 2n ** 64n - 1n).map(keyOf));

test('finds every path that was put in, and no other, as an array of rows would', () => {
  const entry = fc.record({ below: fc.option(fc.nat()), kind: fc.nat(2), key });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 300 }), fc.array(key), (entries, others) => {
      const [table, rows]: [ObjectTable, ObjectRow[]] = [new ObjectTable(), []];
      const known = (parent: ObjectId, kind: unknown, one: Key) => {
        const row = rows.findIndex((row) => row.parent === parent && row.kind === kind && row.key === one);
        return row < 0 ? undefined : row;
      };
      for (const { below, kind: n, key: one } of entries) {
        const parent = below === null ? TOP : (rows[below % rows.length]?.id ?? TOP);
        const kind = parent === TOP ? A : (KINDS[n] ?? A);
        assert.equal(table.find(parent, kind, one), known(parent, kind, one));
        if (known(parent, kind, one) !== undefined) continue;
        const id = ((rows.at(-1)?.id ?? 0) + 2) as ObjectId;
        const row = table.add(id, parent, kind, one);
        rows.push({ id, kind, parent, key: one });
        assert.equal(table.rowOf(id), row);
        assert.deepEqual(
          [table.id(row), table.kind(row), table.parent(row), table.key(row)],
          [id, kind, parent, one],
        );
      }
      assert.deepEqual([...table], rows);
      assert.deepEqual(table.slice(1, 5), rows.slice(1, 5));
      assert.deepEqual([table.at(-1), table.at(rows.length)], [rows.at(-1), undefined]);
      for (const [row, { parent, kind, key: one }] of rows.entries())
        assert.equal(table.find(parent, kind, one), row);
      for (const one of others) assert.equal(table.find(TOP, A, one), known(TOP, A, one));
      for (const { id } of rows) {
        const kinds = new Set(rows.filter(({ parent }) => parent === id).map(({ kind }) => kind));
        assert.deepEqual([...table.kindsBelow(table.rowOf(id))], [...kinds]);
        assert.throws(() => table.rowOf((id + 1) as ObjectId), /no object/);
      }
    }),
    { numRuns: 60 },
  );
});

test('a path that is gone takes some 40 bytes', () => {
  const before = process.memoryUsage();
  const table = new ObjectTable();
  const count = 200_000;
  for (let n = 0; n < count; n++) table.add((n * 2) as ObjectId, TOP, A, n);
  const now = process.memoryUsage();
  const took = now.arrayBuffers - before.arrayBuffers + Math.max(0, now.heapUsed - before.heapUsed);
  assert.ok(took / count < 60, `${took / count} bytes`);
  assert.equal(table.find(TOP, A, count - 1), count - 1);
});
