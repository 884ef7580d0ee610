/** Texts of other programs, and the traces that they become (corpus/became, written anew with HVREWIND_CORPUS=write). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { imported } from './collected.testing.ts';

const CORPUS = join(import.meta.dirname, 'corpus');

/** `name.txt` is a text; `name.123` and `name.124` are the files of one `strace -ff`. */
const texts = Map.groupBy(
  readdirSync(CORPUS)
    .filter((name) => name !== 'became')
    .sort(),
  (name) => name.replace(/\.(txt|\d+)$/, ''),
);

for (const [name, files] of texts) {
  test(`${name} becomes what it did`, async () => {
    const { form, lines, summary } = await imported(files.map((file) => join(CORPUS, file)));
    assert.equal(form, /^(?:trace-cmd|[a-z]+)/.exec(name)?.[0], 'recognised');
    const { unreadable, other } = summary;
    const text = `${[...lines, JSON.stringify({ unreadable, other })].join('\n')}\n`;
    const kept = join(CORPUS, 'became', `${name}.ndjson`);
    if (process.env.HVREWIND_CORPUS === 'write') writeFileSync(kept, text);
    assert.deepEqual(text.split('\n'), readFileSync(kept, 'utf8').split('\n'));
  });
}
