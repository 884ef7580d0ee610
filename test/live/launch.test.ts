import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { build, results, scratch } from '../emulate/build.testing.ts';
import { eventsOf } from './calls.testing.ts';
import { HVREWIND, LACKING, record } from './record.testing.ts';
import { narrowProgram } from './small-program.testing.ts';

const ENOTTY = -25;

describe('a program that is started', { skip: LACKING }, () => {
  const folder = scratch();

  for (const [words, mode] of [
    [[], 'filter'],
    [['--keep-alive'], 'every-call'],
  ] as const) {
    test(`processes and threads, arguments and buffers (${mode})`, async () => {
      const program = build('test/live/clients/foreign.c', folder, '-pthread');
      const { exit, out, err, trace, summary } = await record(folder, [...words, '--', program]);
      assert.deepEqual([exit, err, summary.mode, summary.lost], [7, '', mode, 0]);
      assert.deepEqual(results(out), { main: 'ENOTTY', thread: 'ENOTTY', child: 'ENOTTY' });
      const calls = eventsOf(trace).filter((event) => event.kind === 'ioctl');
      const texts = calls.map(({ in: given }) =>
        Buffer.from(given ?? [])
          .toString('latin1')
          .replace(/\0.*/s, ''),
      );
      assert.deepEqual(texts, ['main', 'thread', 'child']);
      for (const { handle, fd, op, arg, ret, t, tEnd, provenance } of calls) {
        assert.deepEqual(
          [handle.kind, op, arg?.length, ret, provenance],
          ['foreign', 0xc020b807, 32, ENOTTY, 'observed'],
        );
        assert.ok(fd !== undefined && tEnd !== undefined && tEnd > t);
      }
      const [main, thread, child] = calls;
      assert.ok(main?.pid === main?.tid && child?.pid === child?.tid && main?.pid !== child?.pid);
      assert.ok(thread?.pid === child?.pid && thread?.tid !== child?.tid);
    });
  }

  test('its status, its signals, its environment', async () => {
    assert.equal((await record(folder, ['--', 'sh', '-c', 'exit 42'])).exit, 42);
    assert.equal((await record(folder, ['--', 'sh', '-c', 'kill -9 $$'])).exit, 128 + 9);
    const { out } = await record(folder, ['--', 'env']);
    assert.doesNotMatch(out, /hvrewind_gate/);
    assert.match((await record(folder, ['--', '/nonexistent/program'])).err, /no such program/);
  });

  test('a 32-bit program runs, and a mark says that its calls are not recorded', async (context) => {
    const program = join(folder, 'narrow');
    writeFileSync(program, narrowProgram(), { mode: 0o755 });
    if (spawnSync(program).status !== 5) {
      context.skip('this kernel runs no 32-bit programs');
      return;
    }
    const { exit, trace } = await record(folder, ['--', program]);
    assert.equal(exit, 5);
    const [mark] = eventsOf(trace);
    assert.ok(mark?.kind === 'mark' && mark.what === 'note' && /32-bit/.test(mark.text ?? ''));
  });

  test('a program that is stopped stands still, and goes on when it is told to', async () => {
    const program = build('test/live/clients/busy.c', folder, '-pthread');
    const trace = join(folder, 'stopped.hvtrace');
    const child = spawn(HVREWIND, ['record', '--quiet', '-o', trace, '--', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'close');
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    await once(child.stdout, 'data');
    const pid = Number.parseInt(text, 10);
    await wait(300);
    process.kill(pid, 'SIGSTOP');
    await wait(500);
    const stopped = Date.now();
    await wait(700);
    const gone = Date.now() - stopped;
    process.kill(pid, 'SIGCONT');
    await wait(500);
    process.kill(pid, 'SIGTERM');
    await ended;
    assert.match(text, /unexpected=0 /);
    const times = eventsOf(trace)
      .filter(({ kind }) => kind === 'ioctl')
      .map(({ t }) => t / 1e6);
    // Four threads call every 20 ms or so while they run.
    const longest = Math.max(...times.slice(1).map((t, i) => t - (times[i] as number)));
    assert.ok(longest >= gone, `${longest} ms without a call, stopped for ${gone} ms`);
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > longest, 'it goes on');
  });

  test('trouble of its own: 2, and nothing is left', async () => {
    const { exit, err, trace } = await record(folder, ['--attach', '999999999']);
    assert.deepEqual([exit, existsSync(trace)], [2, false]);
    assert.match(err, /no such process/);
    assert.equal((await record(folder, ['--attach', 'x'])).exit, 2);
    assert.equal((await record(folder, [])).exit, 2);
    assert.ok(!existsSync(join(folder, 'x')));
  });
});
