import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build, results, scratch } from '../emulate/build.testing.ts';
import { eventsOf } from './calls.testing.ts';
import { LACKING, record } from './record.testing.ts';

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

  test('trouble of its own: 2, and nothing is left', async () => {
    const { exit, err, trace } = await record(folder, ['--attach', '999999999']);
    assert.deepEqual([exit, existsSync(trace)], [2, false]);
    assert.match(err, /no such process/);
    assert.equal((await record(folder, ['--attach', 'x'])).exit, 2);
    assert.equal((await record(folder, [])).exit, 2);
    assert.ok(!existsSync(join(folder, 'x')));
  });
});
