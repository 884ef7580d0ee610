import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openDatabase } from '../sqlite.ts';
import * as flag from './flags.ts';
import { META } from './meta.ts';
import { APPLICATION_ID, FORMAT_VERSION, SCHEMA } from './schema.ts';

const doc = readFileSync(new URL('../../../docs/format.md', import.meta.url), 'utf8');

test('docs/format.md names every table, column, view and key', () => {
  const db = openDatabase(':memory:', {});
  for (const { sql } of SCHEMA) db.exec(sql);
  for (const { type, name } of SCHEMA) {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${name}')`).pluck().all() as string[];
    assert.ok(columns.length > 0, name);
    // A view has a line in a table, a table a section.
    const text = type === 'view' ? lineWith(`| \`${name}\` |`) : sectionOf(name);
    for (const column of columns) assert.ok(text.includes(`\`${column}\``), `${name}.${column}`);
  }
  for (const key of Object.values(META)) assert.ok(sectionOf('meta').includes(`\`${key}\``), key);
  assert.ok(doc.includes(`0x${APPLICATION_ID.toString(16)}`));
  assert.ok(doc.includes(`\`user_version\` ${FORMAT_VERSION} `));
  db.close();
});

test('no bit of the flags has two meanings', () => {
  const bits = [
    flag.PROVENANCE_MASK,
    flag.WRITE,
    flag.VALUE,
    flag.RESULT,
    flag.OPEN,
    flag.FAULT_KNOWN,
    flag.FAULT,
    flag.END,
    flag.OUT,
    flag.NESTED_KNOWN,
    flag.NESTED,
    flag.SUB_MASK << flag.SUB_SHIFT,
    flag.PHASE_MASK << flag.PHASE_SHIFT,
  ];
  assert.equal(
    bits.reduce((sum, bit) => sum + bit, 0),
    flag.ALL_FLAGS,
  );
});

function lineWith(start: string): string {
  return doc.split('\n').find((line) => line.startsWith(start)) ?? assert.fail(`no line ${start}`);
}

/** The section whose heading names the table. */
function sectionOf(table: string): string {
  const sections = doc.split('\n### ').slice(1);
  return (
    sections.find((text) => text.split('\n')[0]?.includes(`\`${table}\``)) ??
    assert.fail(`no section ${table}`)
  );
}
