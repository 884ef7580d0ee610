import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sampleGuest } from '../../samples/clients/guest.ts';
import { build, LACKING as NOT_EMULATED, scratch } from '../emulate/build.testing.ts';
import { beside, callsByThread } from './calls.testing.ts';
import { HVREWIND, LACKING, record } from './record.testing.ts';

const SHARED = join(import.meta.dirname, 'clients/shared.h');

describe('a recorder under the emulated device', { skip: NOT_EMULATED ?? LACKING }, () => {
  const folder = scratch();
  const guest = join(folder, 'guest.bin');
  writeFileSync(guest, sampleGuest('Recorded twice. '));

  const programs: readonly {
    readonly source: string;
    readonly words?: readonly string[];
    readonly profile?: string;
  }[] = [
    { source: 'samples/clients/hello.c', words: [guest] },
    { source: 'samples/clients/hello-rfc2020.c', words: [guest], profile: 'kernel=rfc2020' },
    { source: 'test/emulate/clients/descriptors.c' },
    { source: 'test/emulate/clients/errors.c' },
    { source: 'test/emulate/clients/eventfd.c' },
    { source: 'test/emulate/clients/fork.c', words: ['wait'] },
    { source: 'test/emulate/clients/fork.c', words: ['exit'] },
    { source: 'test/emulate/clients/signal.c' },
    { source: 'test/live/clients/threads.c' },
  ];
  for (const { source, words = [], profile } of programs) {
    const name = [source.replace(/^.*\//, ''), ...words.filter((word) => !word.includes('/'))].join(' ');
    test(`${name}: both saw the same calls, thread by thread`, async () => {
      const program = build(source, folder, '-pthread', '-include', SHARED);
      const emulated = join(folder, `emulated-${name.replaceAll(/\W/g, '-')}.hvtrace`);
      const option = profile === undefined ? [] : ['--profile', profile];
      const alone = spawnSync(HVREWIND, [
        'emulate',
        '--quiet',
        '-o',
        `${emulated}-alone`,
        ...option,
        '--',
        program,
        ...words,
      ]);
      const under = [HVREWIND, 'emulate', '--quiet', '-o', emulated, ...option, '--'];
      const { exit, out, trace, summary } = await record(folder, ['--', program, ...words], under);
      // The program sees no difference.
      assert.deepEqual({ exit, out }, { exit: alone.status, out: alone.stdout.toString() });
      // Its calls are answered by a filter that a tracer's own filter would never get to see them from.
      assert.equal(summary.mode, 'every-call');
      assert.equal(summary.lost, 0);
      const [expected, actual] = [callsByThread(emulated), callsByThread(trace)];
      assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
      let calls = 0;
      for (const [tid, list] of expected) {
        assert.deepEqual(beside(actual.get(tid) ?? [], list), list, `thread ${tid}`);
        calls += list.length;
      }
      assert.ok(calls > 5, `${calls} calls`);
    });
  }
});
