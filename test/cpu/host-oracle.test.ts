/** engine/cpu against the host's processor, in a process of its own. HVREWIND_SEED repeats a run. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Mode } from './host-processor.ts';
import type { Outcome } from './outcome.ts';

/** How many sequences of each sort. */
const SORTS = [
  { script: 'compare.ts', what: 'instruction', sequences: 1500, least: 10 },
  { script: 'compare-x87.ts', what: 'x87', sequences: 1000, least: 5 },
] as const;
type Sort = (typeof SORTS)[number];
/** Far apart, so that two runs seldom share sequences. */
const seed = Number(process.env.HVREWIND_SEED ?? Math.floor(Math.random() * 0x7fff_0000));

function outcome({ script, sequences }: Sort, mode: Mode): Outcome {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { kind: 'unavailable', why: 'the host is no x86-64 Linux' };
  const child = spawnSync(
    process.execPath,
    [join(import.meta.dirname, script), `${mode}`, `${seed}`, `${sequences}`],
    {
      encoding: 'utf8',
      timeout: 180_000,
    },
  );
  assert.equal(child.status, 0, `${script} ended with ${child.signal ?? child.status}: ${child.stderr}`);
  return JSON.parse(child.stdout) as Outcome;
}

for (const sort of SORTS)
  for (const mode of [32, 64] as const) {
    const result = outcome(sort, mode);
    test(`random ${sort.what} sequences of ${mode}-bit code do what the host does`, {
      skip: result.kind === 'unavailable' ? result.why : false,
    }, (t) => {
      t.diagnostic(`seed ${seed}`);
      assert.equal(result.kind, 'equal', `seed ${seed}: ${result.kind === 'different' ? result.what : ''}`);
      assert.ok(result.kind === 'equal');
      t.diagnostic(
        `${result.steps} instructions in ${result.sequences} sequences, all agree, ${result.faults} ended by a fault`,
      );
      if (result.results > 0)
        t.diagnostic(`${result.results} transcendental results, ${result.exact} agree in the last bit too`);
      assert.ok(result.steps > sort.least * sort.sequences);
    });
  }
