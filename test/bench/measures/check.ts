import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../../../main/cli/problem.ts';
import { recordLoad } from '../load.ts';
import { type Measure, rate, timed } from '../measure.ts';
import { HOST } from '../mixed.ts';

const PROGRAM = join(import.meta.dirname, '../../../hvrewind');
const FILES = 32;
const EVENTS = 20_000;

/** A folder of traces, judged by one thread and by all processors; the start of the process is counted in. */
export const measure: Measure = async ({ folder }) => {
  const fleet = join(folder, 'fleet');
  mkdirSync(fleet);
  const first = join(fleet, '0.hvtrace');
  recordLoad(first, EVENTS, HOST);
  for (let i = 1; i < FILES; i++) copyFileSync(first, join(fleet, `${i}.hvtrace`));
  const took = (jobs: number): number => {
    const words = ['check', fleet, '--jobs', String(jobs)];
    const { ms, result } = timed(() => spawnSync(PROGRAM, words, { stdio: 'ignore' }));
    if (result.status !== EXIT.fine && result.status !== EXIT.found)
      throw new Error(`${words.join(' ')} failed`);
    return ms;
  };
  const [alone, all] = [took(1), took(availableParallelism())];
  return [
    {
      what: `check: ${FILES} traces of ${EVENTS.toLocaleString('en')} events on ${availableParallelism()} processors`,
      value: `${(FILES / (all / 1000)).toFixed(1)} traces/s, ${rate(FILES * EVENTS, all)}; ${(alone / all).toFixed(1)} times one thread`,
    },
  ];
};
