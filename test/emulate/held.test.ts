/** Threads that are held while guest memory is moved, and killed just then: their parents hear of it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { Detour } from '../../tracer/emulate/memory/ptrace.ts';
import { NR } from '../../tracer/native/numbers.ts';
import { LACKING } from './build.testing.ts';

const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '')[0];

/** A process that sleeps, and its parent, which ends once it has heard of its end. */
async function sleeper(): Promise<{ readonly parent: ChildProcess; readonly pid: number }> {
  const parent = spawn('sh', ['-c', 'sleep 100 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  while (readFileSync(`/proc/${pid}/comm`, 'latin1') !== 'sleep\n' || stateOf(pid) !== 'S') await later(5);
  return { parent, pid };
}

/** The kernel has made of it what is left of a process that was killed. */
async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  while (stateOf(pid) !== 'Z') await later(5);
}

describe('a thread that is killed while it is held', { skip: LACKING, timeout: 60_000 }, () => {
  for (const [when, calls] of [
    ['before it does a call', 0],
    ['after one', 1],
  ] as const) {
    test(`${when}: its parent hears of it`, async () => {
      const { parent, pid } = await sleeper();
      const ended = once(parent, 'exit');
      const held = Detour.seize(pid, pid);
      assert.ok(held);
      assert.ok(held.stopAfter(() => {}));
      if (calls > 0) assert.equal(held.call(NR.close, 1000), -9);
      await kill(pid);
      held.release();
      await ended;
    });
  }

  test('before it stops: its parent hears of it', async () => {
    const { parent, pid } = await sleeper();
    const ended = once(parent, 'exit');
    const held = Detour.seize(pid, pid);
    assert.equal(
      held?.stopAfter(() => process.kill(pid, 'SIGKILL')),
      false,
    );
    await ended;
  });
});
