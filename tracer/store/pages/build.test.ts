import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { scratch } from '../scratch.testing.ts';
import { openDatabase } from '../sqlite.ts';
import { DatabaseImage, TableBuilder } from './build.ts';
import type { StoredValue } from './record-writer.ts';

const folder = scratch();

const memory = openDatabase(':memory:', {});
memory.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, x, y, z)');
memory.exec('CREATE TABLE b (id INTEGER PRIMARY KEY, x, y, z)');
const image = new DatabaseImage(memory.serialize());
memory.close();
const [a, b] = [new TableBuilder(image, 2), new TableBuilder(image, 3)];

type Values = readonly [StoredValue, StoredValue, StoredValue];

/** What SQLite finds in a database with these rows in table a, and some in b. */
function roundTrip(rows: readonly Values[], first: number): unknown[] {
  image.reset();
  a.begin();
  rows.forEach((values, i) => {
    a.add([first + i, ...values]);
  });
  a.finish();
  b.begin();
  for (let i = 0; i < 3; i += 1) b.add([2 ** 40 + i, i, null, 'b']);
  b.finish();
  const path = join(folder, 'built');
  writeFileSync(path, image.finish());
  const db = openDatabase(path, { readonly: true });
  try {
    // A table of one leaf stands in its root, and leaves the page where it was built.
    const damages = (db.pragma('integrity_check(10)') as { integrity_check: string }[])
      .flatMap(({ integrity_check: text }) => text.split('\n'))
      .filter((line) => !/^\*\*\* in database main|never used$|^ok$/.test(line));
    assert.deepEqual(damages, []);
    assert.deepEqual(db.prepare('SELECT count(*), min(id), max(y), min(z) FROM b').raw().all(), [
      [3, 2 ** 40, null, 'b'],
    ]);
    return db.prepare('SELECT * FROM a').safeIntegers().raw().all();
  } finally {
    db.close();
  }
}

function expected(rows: readonly Values[], first: number): unknown[] {
  return rows.map((values, i) => [BigInt(first + i), ...values.map(asRead)]);
}

function asRead(value: StoredValue): unknown {
  if (typeof value === 'number') return BigInt(value);
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

/** Around every bound of a serial type. */
const edge = fc
  .tuple(
    fc.constantFrom(0n, 7n, 8n, 15n, 16n, 23n, 24n, 31n, 32n, 47n, 48n, 53n, 62n),
    fc.integer({ min: -2, max: 2 }),
  )
  .chain(([bits, off]) => fc.constantFrom((1n << bits) + BigInt(off), -(1n << bits) + BigInt(off)))
  .map((value) => (value > -(2n ** 53n) && value < 2n ** 53n ? Number(value) : value));

const value: fc.Arbitrary<StoredValue> = fc.oneof(
  edge,
  fc.constantFrom<StoredValue>(null, 0, 1, -(2n ** 63n), 2n ** 63n - 1n),
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'binary' }),
  // Around what fits into a page, and chains of overflow pages.
  fc
    .oneof(fc.integer({ min: 4030, max: 4100 }), fc.integer({ min: 8100, max: 13_000 }))
    .map((size) => new Uint8Array(size).fill(size)),
);

test('SQLite finds any rows in the pages that are built', () => {
  const first = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.constantFrom(16_380, 2_097_150, 2 ** 35, 2 ** 49),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value, value), { maxLength: 60 }), first, (rows, from) => {
      assert.deepEqual(roundTrip(rows, from), expected(rows, from));
    }),
    { numRuns: 150 },
  );
});

test('a tree grows as high as its rows need', () => {
  for (const count of [0, 1, 255 * 4, 256 * 4 + 1, 3000]) {
    const rows = Array.from(
      { length: count },
      (_, i): Values => [i, new Uint8Array(1000).fill(i), `row ${i}`],
    );
    assert.deepEqual(roundTrip(rows, 100), expected(rows, 100), `${count} rows`);
  }
});
