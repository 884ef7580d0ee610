import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { scratch } from '../../store/scratch.testing.ts';
import { describeTable, readTable } from './read.testing.ts';
import { type Column, TableFile } from './table-file.ts';

const folder = scratch();

interface Row {
  readonly text?: string;
  readonly json?: object;
  readonly small?: number;
  readonly whole?: number;
  readonly unsigned?: bigint;
  readonly flag?: boolean;
  readonly texts?: readonly string[];
  readonly numbers?: readonly number[];
}

const COLUMNS: readonly Column<Row>[] = [
  { name: 'text', type: 'string', of: ({ text }) => text },
  { name: 'json', type: 'json', of: ({ json }) => json },
  { name: 'small', type: 'int32', of: ({ small }) => small },
  { name: 'whole', type: 'int64', of: ({ whole }) => whole },
  { name: 'unsigned', type: 'uint64', of: ({ unsigned }) => unsigned },
  { name: 'flag', type: 'boolean', of: ({ flag }) => flag },
  { name: 'texts', type: 'strings', of: ({ texts }) => texts },
  { name: 'numbers', type: 'int32s', of: ({ numbers }) => numbers },
];

function write(path: string, rows: Iterable<Row>): string {
  const file = new TableFile(path, COLUMNS, 'a test');
  for (const row of rows) file.add(row);
  file.finish();
  file.close();
  return path;
}

/** What a reader of Parquet sees of a row: 64 bits as bigint, null (or undefined for a list) for what is not there, JSON parsed. */
function seen({ text, json, small, whole, unsigned, flag, texts, numbers }: Row): unknown {
  return {
    text: text ?? null,
    json: json ?? null,
    small: small ?? null,
    whole: whole === undefined ? null : BigInt(whole),
    unsigned: unsigned ?? null,
    flag: flag ?? null,
    texts,
    numbers,
  };
}

const text = fc.string({ unit: 'grapheme' });
const row: fc.Arbitrary<Row> = fc.record(
  {
    text,
    json: fc.record({ a: text, b: fc.array(fc.maxSafeInteger()) }, { noNullPrototype: true }),
    small: fc.integer(),
    whole: fc.maxSafeInteger(),
    unsigned: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
    flag: fc.boolean(),
    texts: fc.array(text, { maxLength: 4 }),
    numbers: fc.array(fc.integer(), { maxLength: 4 }),
  },
  { requiredKeys: [] },
);

test('rows of any values are read back as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 40 }), async (rows) => {
      const path = write(join(folder, 'any.parquet'), rows);
      assert.deepEqual(await readTable(path), rows.map(seen));
    }),
    { numRuns: 60 },
  );
});

test('many rows are written in groups, and memory does not grow with them', async () => {
  const path = join(folder, 'many.parquet');
  const held: number[] = [];
  const rows = function* (count: number): Generator<Row> {
    for (let i = 0; i < count; i++) {
      if (i % 20_000 === 10_000) held.push(process.memoryUsage().arrayBuffers);
      yield { whole: i, text: `row ${i}`, unsigned: (1n << 63n) + BigInt(i), texts: [String(i)] };
    }
  };
  write(path, rows(100_001));
  assert.deepEqual(describeTable(path), {
    groups: [20_000n, 20_000n, 20_000n, 20_000n, 20_000n, 1n],
    by: 'a test',
  });
  const last = (await readTable(path)).at(-1);
  assert.equal(last?.whole, 100_000n);
  assert.equal(last.unsigned, (1n << 63n) + 100_000n);
  const [second = 0, fifth = 0] = [held[1], held[4]];
  assert.ok(fifth < second + 4 * 2 ** 20, `${second} bytes held after two groups, ${fifth} after five`);
  assert.ok(statSync(path).size < 4 * 2 ** 20);
});
