import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { before, describe, test } from 'node:test';
import { replay } from '../../engine/replay/replay.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { openTraceFile } from '../../main/cli/trace.ts';
import { sampleGuest } from '../../samples/clients/guest.ts';
import { build, LACKING as NOT_EMULATED, scratch } from '../emulate/build.testing.ts';
import { beside, callsByThread, eventsOf, type SeenCall } from './calls.testing.ts';
import { HVREWIND, LACKING, type Run, record } from './record.testing.ts';

const SHARED = join(import.meta.dirname, 'clients/shared.h');

interface Program {
  readonly source: string;
  readonly words?: readonly string[];
}

const GUEST = 'guest.bin';
/** By the profile of the emulated machine: all of them run one after the other under one emulation. */
const PROGRAMS: Readonly<Record<string, readonly Program[]>> = {
  'kernel=upstream-7.2': [
    { source: 'samples/clients/hello.c', words: [GUEST] },
    { source: 'test/emulate/clients/descriptors.c' },
    { source: 'test/emulate/clients/errors.c' },
    { source: 'test/emulate/clients/eventfd.c' },
    { source: 'test/emulate/clients/fork.c', words: ['wait'] },
    { source: 'test/emulate/clients/fork.c', words: ['exit'] },
    { source: 'test/emulate/clients/signal.c' },
    { source: 'test/live/clients/threads.c' },
    { source: 'test/live/clients/passed.c' },
  ],
  'kernel=rfc2020': [{ source: 'samples/clients/hello-rfc2020.c', words: [GUEST] }],
};

const nameOf = ({ source, words = [] }: Program): string =>
  [source.replace(/^.*\//, ''), ...words.filter((word) => word !== GUEST)].join(' ');

describe('a recorder under the emulated device', { skip: NOT_EMULATED ?? LACKING }, () => {
  const folder = scratch();

  /** A script that runs programs and keeps what each prints, its status and its process, in files of that `way`. */
  function script(programs: readonly Program[], way: string): string {
    const lines = programs.map(({ source, words = [] }, i) => {
      const program = build(source, folder, '-pthread', '-include', SHARED);
      const file = join(folder, `${way}-${i}`);
      const command = [program, ...words].join(' ');
      return `sh -c 'echo $$ >${file}.pid; exec ${command}' >${file}.out; echo $? >${file}.exit`;
    });
    const path = join(folder, `${way}.sh`);
    writeFileSync(path, `#!/bin/sh\ncd ${folder}\n${lines.join('\n')}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  const text = (way: string, i: number, kind: string): string =>
    readFileSync(join(folder, `${way}-${i}.${kind}`), 'utf8');

  function emulated(words: readonly string[]): Promise<void> {
    return new Promise((done, fail) => {
      const child = spawn(HVREWIND, ['emulate', '--quiet', ...words], { stdio: 'inherit' });
      child.on('error', fail).on('close', () => done());
    });
  }

  for (const [profile, programs] of Object.entries(PROGRAMS)) {
    describe(profile, () => {
      const [alone, recorded] = [`alone-${profile}`, `recorded-${profile}`];
      let run: Run;
      let [expected, actual]: ReadonlyMap<number, readonly SeenCall[]>[] = [];

      before(async () => {
        writeFileSync(join(folder, GUEST), sampleGuest('Recorded twice. '));
        const trace = join(folder, `${profile}.hvtrace`);
        const options = ['--profile', profile, '-o'];
        const under = [HVREWIND, 'emulate', '--quiet', ...options, trace, '--'];
        // The programs are built before both run at a time.
        const [one, other] = [script(programs, alone), script(programs, recorded)];
        [run] = await Promise.all([
          record(folder, ['--', other], under),
          emulated([...options, `${trace}-alone`, '--', one]),
        ]);
        expected = callsByThread(trace);
        actual = callsByThread(run.trace);
      });

      test('nothing is lost, by a tracer that stops at every call', () => {
        // Calls are answered by a filter that a tracer's own filter would never get to see them from.
        assert.deepEqual([run.exit, run.summary.mode, run.summary.lost], [0, 'every-call', 0]);
        assert.deepEqual([...(actual?.keys() ?? [])].sort(), [...(expected?.keys() ?? [])].sort());
      });

      test('a replay of what was recorded checks what a replay of the emulation checks: the files tell the ids', () => {
        const [device, seen] = [`${profile}.hvtrace`, run.trace].map((path) =>
          openTraceFile(resolve(folder, path)),
        );
        try {
          assert.ok(device !== undefined && seen !== undefined);
          const { header } = device.source;
          const report = replay({ ...seen.source, header }, SIDES);
          assert.deepEqual(report.divergences, []);
          // What a child inherits and what comes through a socket is known once a message has named it.
          assert.ok(
            report.unmodelled * 10 < report.checked,
            `${report.unmodelled} unmodelled, ${report.checked} checked`,
          );
        } finally {
          device?.close();
          seen?.close();
        }
      });

      const passed = programs.findIndex(({ source }) => source.endsWith('/passed.c'));
      if (passed >= 0)
        test('a descriptor that came through a socket is noted at its first call, as the file that it is', () => {
          const sender = Number(text(recorded, passed, 'pid'));
          const events = eventsOf(run.trace);
          const at = events.findIndex(
            (event) => event.kind === 'fd' && event.note === 'received from another process',
          );
          const [note, call] = events.slice(at, at + 2);
          assert.ok(note?.kind === 'fd' && note.what === 'dup' && note.pid !== sender);
          assert.ok(call?.kind === 'ioctl' && call.pid === note.pid && call.fd === note.fd);
          const opened = events.find(
            (event) => event.kind === 'fd' && event.what === 'open' && event.pid === sender,
          );
          assert.ok(opened?.kind === 'fd' && opened.handle !== undefined);
          assert.deepEqual([note.handle, call.handle], [opened.handle, opened.handle]);
        });

      programs.forEach((program, i) => {
        test(`${nameOf(program)}: both saw the same calls, thread by thread; the program sees no difference`, () => {
          for (const kind of ['exit', 'out']) assert.equal(text(recorded, i, kind), text(alone, i, kind));
          const pid = Number(text(recorded, i, 'pid'));
          const own = [...(expected ?? [])].filter(([, list]) => list.some((call) => rootOf(call) === pid));
          let calls = 0;
          for (const [tid, list] of own) {
            assert.deepEqual(beside(actual?.get(tid) ?? [], list), list, `thread ${tid}`);
            calls += list.length;
          }
          assert.ok(calls > 5, `${calls} calls`);
        });
      });

      /** The program that a call belongs to: the last that began with a process number at or below the caller's. */
      function rootOf({ pid = 0 }: SeenCall): number {
        const roots = programs.map((_, other) => Number(text(recorded, other, 'pid')));
        return Math.max(...roots.filter((root) => root <= pid));
      }
    });
  }
});
