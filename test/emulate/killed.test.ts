import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { build, LACKING, scratch } from './build.testing.ts';

const HVREWIND = join(import.meta.dirname, '../../hvrewind');
const ROUNDS = 20;
/** Rounds at a time: most of a round is the start. */
const BESIDE = 2;
/** The program runs this long at least, so that something was committed. */
const RUNS_MS = 400;

describe('the supervisor is killed', { skip: LACKING }, () => {
  const folder = scratch();

  /** Runs the program, kills what supervises it after a while, returns how long it had run and its process. */
  async function round(program: string, trace: string, afterMs: number): Promise<number> {
    const child = spawn(HVREWIND, ['emulate', '--quiet', '--force', '-o', trace, '--', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = new Promise<void>((done) => child.on('exit', () => done()));
    const pid = await new Promise<number>((done) => {
      child.stdout.once('data', (text: Buffer) => done(Number(text.toString())));
    });
    await wait(afterMs);
    child.kill('SIGKILL');
    await ended;
    return pid;
  }

  async function hasEnded(pid: number): Promise<boolean> {
    for (let i = 0; i < 100; i++) {
      if (!existsSync(`/proc/${pid}`) || !isRunning(pid)) return true;
      await wait(20);
    }
    return false;
  }

  test(`${ROUNDS} times: the program dies, the file opens and its events are whole`, async () => {
    const program = build('test/emulate/clients/forever.c', folder);
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < ROUNDS) {
        const number = next++;
        const trace = join(folder, `killed-${number}.hvtrace`);
        const afterMs = RUNS_MS + number * 2;
        const pid = await round(program, trace, afterMs);
        assert.ok(await hasEnded(pid), `round ${number}: the program outlived its supervisor`);
        const reader = openTrace(trace);
        if (isProblem(reader)) throw new Error(`round ${number}: ${reader.text}`);
        const events = [...reader.range()].length;
        reader.close();
        // How much is lost is measured in test/kill, where the recorder does nothing but record.
        assert.ok(
          events > 0 && events === reader.events,
          `round ${number}: ${events} of ${reader.events} events`,
        );
      }
    };
    await Promise.all(Array.from({ length: BESIDE }, one));
  });
});

function isRunning(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
