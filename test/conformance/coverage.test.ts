/** docs/engine-coverage.md against what there is. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { rowsOf } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/engine-coverage.md'), 'utf8');
const ROWS = rowsOf(PAGE).map(({ line, cells }) => ({
  line,
  state: (cells.modelled ?? '').split(' - ')[0] ?? '',
  what: (cells.modelled ?? '').split(' - ')[1],
  shown: (cells['shown by'] ?? '').split('; '),
}));

const TABLES = globSync('{hypercalls,ioctls,msrs}/*.md', { cwd: import.meta.dirname });
const SCENARIOS = globSync('sections/*.txt', { cwd: import.meta.dirname });
const TESTS = globSync('engine/{hypervisor,drivers}/*.test.ts', { cwd: ROOT }).map((path) => ({
  name: basename(path),
  text: readFileSync(join(ROOT, path), 'utf8'),
}));

/** Tables and scenarios by what a row may call them: the file's name, with its folder where two have the same. */
const isNamed = (path: string, reference: string): boolean =>
  path === reference || basename(path) === reference;

function exists(reference: string): boolean {
  const [, file, text] = /^(\S+\.test\.ts): (.+)$/.exec(reference) ?? [];
  if (text !== undefined) return TESTS.some((test) => test.name === file && test.text.includes(text));
  return [...TABLES, ...SCENARIOS].filter((path) => isNamed(path, reference)).length === 1;
}

test('each part is modelled, in part with what is missing, or not', () => {
  for (const { line, state, what, shown } of ROWS) {
    assert.ok(['yes', 'part', 'no'].includes(state), `line ${line}: ${state}`);
    assert.equal(state === 'part', what !== undefined, `line ${line}: a dash and what is missing`);
    assert.equal(state === 'no', shown.join() === '-', `line ${line}: shown by`);
  }
});

test('what shows it exists', () => {
  const missing = ROWS.flatMap(({ line, state, shown }) =>
    state === 'no'
      ? []
      : shown.filter((reference) => !exists(reference)).map((name) => `line ${line}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('every table and scenario is named', () => {
  const references = ROWS.flatMap(({ shown }) => shown);
  const unnamed = [...TABLES, ...SCENARIOS].filter((path) => !references.some((name) => isNamed(path, name)));
  assert.deepEqual(unnamed, []);
});

test('the counts', () => {
  const of = (state: string): number => ROWS.filter((row) => row.state === state).length;
  const line = `Of ${ROWS.length} parts ${of('yes')} are modelled, ${of('part')} in part, ${of('no')} are not.`;
  assert.ok(PAGE.includes(line), `the page should say: ${line}`);
});
