import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sampleGuest } from '../../samples/clients/guest.ts';
import { atPrompt } from '../cli/prompt.testing.ts';
import { build, emulate, LACKING, scratch } from '../emulate/build.testing.ts';
import { callsByThread, type SeenCall } from './calls.testing.ts';

const NO_STRACE = spawnSync('strace', ['--version']).status === 0 ? undefined : 'no strace';
const CALLS = 'trace=ioctl,open,openat,close,dup,dup2,dup3,fcntl,mmap,munmap,clone,clone3,fork,vfork,execve';

/** What of a call strace tells too: each thread's, in order. */
function told(trace: string): Record<string, unknown> {
  const kindOf = ({ handle }: SeenCall): string => handle.replace(/[ :].*/, '');
  const threads = [...callsByThread(trace)].map(([tid, calls]): [string, unknown] => [
    String(tid),
    calls
      // What a process leaves open, here the device, closes with its end, which is no call.
      .filter(
        (call) => /^(?:ioctl|open$)/.test(call.what) || (call.what === 'close' && kindOf(call) !== 'device'),
      )
      .map((call) => [
        call.what,
        kindOf(call),
        call.fields.fd,
        call.what.startsWith('ioctl') ? call.fields.ret : 0,
      ]),
  ]);
  return Object.fromEntries(threads.filter(([, calls]) => (calls as unknown[]).length > 0).sort());
}

describe('strace and the emulated device saw the same calls, thread by thread', {
  skip: LACKING ?? NO_STRACE,
}, () => {
  const folder = scratch();
  for (const [name, options, source, words] of [
    ['-f -tt -T -X raw -y', ['-f', '-tt', '-T', '-X', 'raw', '-y'], 'samples/clients/hello.c', ['guest.bin']],
    [
      '-ff -ttt -T -X verbose -y',
      ['-ff', '-ttt', '-T', '-X', 'verbose', '-y'],
      'test/live/clients/threads.c',
      [],
    ],
  ] as const) {
    test(name, async () => {
      writeFileSync(join(folder, 'guest.bin'), sampleGuest('Traced. '));
      const program = build(source, folder, '-pthread');
      const text = `text${options[0]}`;
      const under = ['strace', ...options, '-o', join(folder, text), '-e', CALLS, program, ...words];
      const { exit, trace, err } = await emulate(folder, under);
      assert.equal(exit, 0, err);
      const files = readdirSync(folder).filter((file) => file === text || file.startsWith(`${text}.`));
      const imported = join(folder, `${text}.hvtrace`);
      const read = await atPrompt(
        ['import', ...files.map((file) => join(folder, file)), '-o', imported],
        folder,
      );
      assert.equal(read.exit, 0, read.err);
      const expected = told(trace);
      assert.ok(JSON.stringify(expected).length > 500);
      assert.deepEqual(told(imported), expected);
    });
  }
});
