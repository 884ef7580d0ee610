import assert from 'node:assert/strict';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { randomFrom, seedOfRun } from './random.ts';
import { checkFile, killedRecorder, lostMs } from './round.ts';

const folder = scratch();

/** `npm run test:kills` has 1,000. */
const ROUNDS = Number(process.env.HVREWIND_KILLS ?? 50);
/** Rounds that run at a time: most of one is waiting for Node to start. */
const TOGETHER = 4;

test(`a recorder killed at ${ROUNDS} random instants loses at most 250 ms`, async (context) => {
  const seed = seedOfRun();
  context.diagnostic(`seed ${seed}`);
  const random = randomFrom(seed);
  const rounds = Array.from({ length: ROUNDS }, (_, i) => ({
    path: join(folder, `${i}.hvtrace`),
    fate: {
      runMs: 50 + random() * 400,
      // Every fifth is killed while it starts, perhaps; of the others some end just before.
      from: i % 5 === 0 ? ('birth' as const) : ('first-word' as const),
      killMs: random() * 500,
      by: i % 10 === 3 ? ('SIGABRT' as const) : i % 10 === 6 ? ('SIGSEGV' as const) : ('SIGKILL' as const),
    },
  }));
  let begun = 0;
  let killed = 0;
  let worstMs = 0;
  const worker = async (): Promise<void> => {
    for (let round = rounds.pop(); round !== undefined; round = rounds.pop()) {
      const told = await killedRecorder(round.path, round.fate);
      if (existsSync(round.path)) worstMs = Math.max(worstMs, checkFile(round.path, told, 250).lostMs);
      else assert.deepEqual(told.reports, []);
      if (told.reports.length > 0) begun += 1;
      if (told.reports.length > 1 && !told.closed) killed += 1;
      for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(round.path + suffix, { force: true });
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
  context.diagnostic(
    `${begun} had begun, ${killed} of them were killed; worst loss ${worstMs.toFixed(1)} ms`,
  );
  assert.ok(killed >= ROUNDS / 4, `only ${killed} recorders were killed while they recorded`);
});

test('without its -wal the file of a killed recorder has all but the last 2 s', async () => {
  const path = join(folder, 'long.hvtrace');
  const told = await killedRecorder(path, { runMs: 60_000, killMs: 3000, from: 'first-word' });
  assert.ok((told.reports.at(-1)?.tNs ?? 0) > 1e9, 'the recorder had no time');
  const alone = join(folder, 'alone.hvtrace');
  copyFileSync(path, alone);
  const reader = openTrace(alone);
  if (isProblem(reader)) assert.fail(reader.text);
  assert.equal(reader.notices.length, 1);
  const { events } = reader;
  reader.close();
  assert.ok(events > 0 && lostMs(told, events) < 2000, `${lostMs(told, events)} ms are lost`);
  checkFile(path, told, 250);
});
