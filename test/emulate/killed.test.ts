import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ioctlNamed } from '../../engine/abi/index.ts';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { randomFrom, seedOfRun } from '../kill/random.ts';
import { lostMs, type Told } from '../kill/round.ts';
import { build, LACKING, scratch } from './build.testing.ts';

const HVREWIND = join(import.meta.dirname, '../../hvrewind');
/** `npm run test:kills` has 50. */
const ROUNDS = Number(process.env.HVREWIND_ROUNDS ?? 10);
/** Rounds at a time: most of a round is waiting, for the start and for the kill. */
const BESIDE = 4;
/** When it is killed, counted from the program's first word: before and after some commits. */
const KILLED_AFTER_MS = { least: 20, most: 700 };
const MAX_LOSS_MS = 250;
const CREATE_PARTITION = ioctlNamed('upstream', 'device', 'CREATE_PARTITION')?.number;

interface Killed extends Told {
  readonly pid: number;
}

describe('the supervisor is killed', { skip: LACKING }, () => {
  const folder = scratch();

  /** Runs the program, kills what supervises it after a while, returns what the program had told by its end. */
  async function round(program: string, trace: string, afterMs: number): Promise<Killed> {
    const child = spawn(HVREWIND, ['emulate', '--quiet', '--force', '-o', trace, '--', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // The program has the other end too: it is closed when both have died.
    const closed = new Promise<void>((done) => child.stdout.once('end', done));
    let text = '';
    const begun = new Promise<void>((done) => child.stdout.once('data', () => done()));
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    await begun;
    await wait(afterMs);
    child.kill('SIGKILL');
    await closed;
    const [pid = '', ...lines] = text.split('\n').slice(0, -1);
    const reports = lines.map((line) => {
      const [seq, tNs] = line.split(' ').map(Number);
      return { seq: seq as number, tNs: tNs as number };
    });
    return { pid: Number(pid), reports, closed: false };
  }

  test(`${ROUNDS} times: the program dies, the file opens and lacks at most ${MAX_LOSS_MS} ms`, async (context) => {
    const seed = seedOfRun();
    context.diagnostic(`seed ${seed}`);
    const random = randomFrom(seed);
    const program = build('test/emulate/clients/forever.c', folder);
    let next = 0;
    let [worstMs, longestMs] = [0, 0];
    const one = async (): Promise<void> => {
      while (next < ROUNDS) {
        const number = next++;
        const trace = join(folder, `killed-${number}.hvtrace`);
        const { least, most } = KILLED_AFTER_MS;
        const killed = await round(program, trace, least + random() * (most - least));
        assert.ok(await hasEnded(killed.pid), `round ${number}: the program outlived its supervisor`);
        const lost = lostMs(killed, madeIn(trace));
        worstMs = Math.max(worstMs, lost);
        longestMs = Math.max(longestMs, lostMs(killed, 0));
        assert.ok(lost <= MAX_LOSS_MS, `round ${number}: ${lost} ms are lost`);
        for (const suffix of ['', '-wal', '-shm']) rmSync(trace + suffix, { force: true });
      }
    };
    await Promise.all(Array.from({ length: BESIDE }, one));
    context.diagnostic(`worst loss ${worstMs.toFixed(1)} ms, longest run ${longestMs.toFixed(1)} ms`);
    // Else nothing was to be lost.
    assert.ok(longestMs > MAX_LOSS_MS, `no program ran longer than ${longestMs} ms`);
  });
});

describe('the supervisor fails', { skip: LACKING }, () => {
  const folder = scratch();
  // What only a mistake in the supervisor could do: its clock throws, at once or when the program has made calls.
  const fault = join(folder, 'fault.cjs');
  writeFileSync(
    fault,
    `const { workerData } = require('node:worker_threads');
     const clock = process.hrtime.bigint;
     let asked = 0;
     if (workerData?.keeper !== undefined)
       process.hrtime.bigint = () => {
         if (++asked > Number(process.env.FAILS_AFTER)) throw new Error('the clock stands still');
         return clock();
       };`,
  );

  for (const [after, what] of [
    [0, 'before the program was started'],
    [2000, 'while the program makes calls: all its processes die, the file opens'],
  ] as const) {
    test(what, async () => {
      const program = build('test/emulate/clients/forever.c', folder);
      const trace = join(folder, `failed-${after}.hvtrace`);
      const script = `${program} & exec ${program}`;
      const child = spawn(HVREWIND, ['emulate', '-o', trace, '--', 'sh', '-c', script], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: `--require=${fault}`, FAILS_AFTER: String(after) },
        timeout: 60_000,
        killSignal: 'SIGKILL',
      });
      let [out, err] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        err += text;
      });
      const exit = await new Promise((done) => child.on('close', done));
      assert.match(err, /the clock stands still/);
      assert.equal(exit, 1);
      const pids = out.split('\n').filter((line) => /^\d+$/.test(line));
      assert.equal(pids.length, after === 0 ? 0 : 2);
      for (const pid of pids)
        assert.ok(await hasEnded(Number(pid)), `process ${pid} outlived its supervisor`);
      if (after !== 0) assert.ok(madeIn(trace) > 0);
    });
  }
});

async function hasEnded(pid: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    if (!existsSync(`/proc/${pid}`) || !isRunning(pid)) return true;
    await wait(20);
  }
  return false;
}

/** How many partitions the file says were made. */
function madeIn(trace: string): number {
  const reader = openTrace(trace);
  if (isProblem(reader)) throw new Error(reader.text);
  try {
    let [events, made] = [0, 0];
    for (const event of reader.range()) {
      events += 1;
      if (event.kind === 'ioctl' && event.op === CREATE_PARTITION && typeof event.ret === 'number') made += 1;
    }
    assert.ok(events > 0 && events === reader.events, `${events} of ${reader.events} events`);
    return made;
  } finally {
    reader.close();
  }
}

function isRunning(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
