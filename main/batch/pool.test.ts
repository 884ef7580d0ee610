import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { Problem } from '../cli/problem.ts';
import { findTraces } from './find.ts';
import type { Judged } from './judged.ts';
import { judgeAll, threadsFor } from './pool.ts';

const folder = scratch();

/** No name at all: a mistake that only hvrewind itself could make. */
const WRONG = 1 as unknown as string;

const SAMPLES = join(import.meta.dirname, '../../samples');
const SCENARIOS = findTraces([join(SAMPLES, 'scenarios')]);

async function all(files: readonly string[], threads: number): Promise<Judged[]> {
  const results: Judged[] = [];
  for await (const judged of judgeAll(files, threads)) results.push(judged);
  return results;
}

test('threads give the same results in the order of the files', async () => {
  const files = findTraces([SAMPLES]);
  const alone = await all(files, 1);
  assert.deepEqual(
    alone.map(({ file }) => file),
    files,
  );
  assert.ok(alone.some((judged) => 'findings' in judged && judged.findings.length > 0));
  assert.deepEqual(await all(files, 3), alone);
});

test('more files than may wait for a slow one before them', async () => {
  const [quick = ''] = SCENARIOS;
  // The slow one takes its thread some hundred times as long as the others take theirs.
  const files = [join(SAMPLES, 'qemu-seabios/q35.hvtrace.zst'), ...Array.from({ length: 150 }, () => quick)];
  const judged = await all(files, 2);
  assert.deepEqual(
    judged.map(({ file }) => file),
    files,
  );
});

test('a file that cannot be read, or that hvrewind fails on, is one line', async () => {
  const [good = ''] = SCENARIOS;
  const files = [join(folder, 'none.hvtrace'), WRONG, good];
  for (const threads of [1, 2]) {
    const [none, failed, judged] = await all(files, threads);
    assert.ok(none !== undefined && 'problem' in none);
    assert.match(none.problem, /none\.hvtrace: no such file; check the name$/);
    assert.ok(failed !== undefined && 'problem' in failed);
    assert.match(failed.problem, /^1: hvrewind failed on it \(.+\); check it alone to see where$/);
    assert.ok(judged !== undefined && 'findings' in judged && judged.file === good);
  }
});

test('it can be cancelled between two files', async () => {
  for (const threads of [1, 2]) {
    const cancel = new AbortController();
    const seen: Judged[] = [];
    for await (const judged of judgeAll(SCENARIOS, threads, cancel.signal)) {
      seen.push(judged);
      if (seen.length === 3) cancel.abort();
    }
    assert.equal(seen.length, 3);
  }
});

test('threads are started where the files are worth it, or as many as are asked for', () => {
  assert.equal(threadsFor(SCENARIOS), 1);
  assert.equal(threadsFor(SCENARIOS, 4), 4);
  assert.equal(threadsFor(SCENARIOS.slice(0, 2), 4), 2);
  assert.equal(threadsFor([join(folder, 'none.hvtrace')]), 1);
});

test('a folder stands for the traces below it, sorted; links to folders are not followed', () => {
  for (const name of ['b', 'a/c']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['b/x.hvtrace', 'a/c/y.hvtrace.zst', 'z.hvtrace.ndjson', 'z.txt', 'x.hvtrace-wal'])
    writeFileSync(join(folder, name), '');
  symlinkSync(folder, join(folder, 'b/round'));
  const expected = ['a/c/y.hvtrace.zst', 'b/x.hvtrace', 'z.hvtrace.ndjson'].map((name) => join(folder, name));
  assert.deepEqual(findTraces([folder]), expected);
  assert.deepEqual(findTraces(['other', join(folder, 'b')]), ['other', join(folder, 'b/x.hvtrace')]);
  mkdirSync(join(folder, 'empty'));
  assert.throws(() => findTraces([join(folder, 'empty')]), Problem);
});
