import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { recordLoad } from '../load.ts';
import { type Measure, type Measured, milliseconds, percentile, timed } from '../measure.ts';
import { HOST } from '../mixed.ts';

const PROGRAM = join(import.meta.dirname, '../../../hvrewind');
const RUNS = 9;

/** From the start of the process to its end, the median of some runs after a first one that is not counted. */
export const measure: Measure = async ({ folder }) => {
  const trace = join(folder, 'thousand.hvtrace');
  recordLoad(trace, 1000, HOST);
  return [started(['--help'], 300), started(['check', trace], 600)];
};

function started(words: readonly string[], goalMs: number): Measured {
  const run = (): number => timed(() => spawnSync(PROGRAM, words, { stdio: 'ignore' })).ms;
  run();
  const median = percentile(Array.from({ length: RUNS }, run), 0.5);
  const [command = ''] = words;
  return {
    what: `start: hvrewind ${command}${words.length > 1 ? ' on 1,000 events' : ''}`,
    goal: `≤ ${goalMs} ms`,
    value: milliseconds(median),
    held: median <= goalMs,
  };
}
