import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { whyNotKernel } from '../../tracer/live/kernel/here.testing.ts';
import { isRoot, NOBODY, shutToNobody } from '../ordinary-user.testing.ts';
import { hvrewind } from './hvrewind.testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'hvrewind-kernel-'));
after(() => rmSync(folder, { recursive: true }));
const why = whyNotKernel();

test('record --kernel writes a trace of this machine that replays, and says what the kernel lacks', {
  skip: why ?? false,
}, async () => {
  const file = join(folder, 'k.hvtrace');
  const recorded = await hvrewind([
    'record',
    '--kernel',
    '--seconds',
    '0.5',
    '--msr',
    '0x6e0,0x830',
    '-o',
    file,
  ]);
  assert.equal(recorded.exit, 0, recorded.err);
  assert.match(recorded.err, /k\.hvtrace: \d+ events$/m);
  const shown = await hvrewind(['show', file, '--json', 'kind == msr']);
  const events = shown.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(events.length > 5, shown.err);
  for (const { msr, cpu, tid, t } of events) {
    assert.ok(
      (msr === '0x6e0' || msr === '0x830') && cpu !== undefined && tid !== undefined && t !== undefined,
    );
  }
  const replayed = await hvrewind(['replay', file, '--verify']);
  assert.equal(replayed.exit, 0, replayed.out + replayed.err);
});

test('record --kernel --filter, --until and --ring keep what they say', { skip: why ?? false }, async () => {
  const kept = async (name: string, ...words: string[]): Promise<Record<string, unknown>[]> => {
    const file = join(folder, `${name}.hvtrace`);
    const all = ['record', '--kernel', '--msr', '0x6e0,0x830', ...words, '-o', file];
    const { exit, err } = await hvrewind(all);
    assert.equal(exit, 0, err);
    const { out } = await hvrewind(['show', file, '--json', 'kind == msr']);
    return out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  const [filtered, until, ring] = await Promise.all([
    kept('filtered', '--seconds', '1', '--filter', 'msr == 0x6e0'),
    kept('until', '--seconds', '60', '--until', 'msr == 0x6e0'),
    kept('ring', '--seconds', '1', '--ring', '40'),
  ]);
  assert.deepEqual([...new Set(filtered.map(({ msr }) => msr))], ['0x6e0']);
  assert.deepEqual(
    until.map(({ msr }) => msr === '0x6e0'),
    until.map((_, i) => i === until.length - 1),
  );
  assert.ok(ring.length >= 40 && ring.length < 200, `${ring.length} events`);
});

/** Calls an ioctl of the drivers on a file that is none of theirs, and one that is not of their type. */
const CLIENT = `
  const koffi = require('koffi');
  const { openSync } = require('node:fs');
  const ioctl = koffi.load('libc.so.6').func('int ioctl(int, ulong, void *, ...)');
  const fd = openSync('/dev/null', 'r+');
  const region = Buffer.alloc(32, 7);
  for (let i = 0; i < 20; i++) ioctl(fd, 0x4020b802, region);
  ioctl(fd, 0x5401, region);
  process.exit(ioctl(fd, 0x8100b800, Buffer.alloc(256)) === -1 ? 7 : 1);
`;

/** Events of a trace, as event text. */
async function exported(file: string): Promise<Record<string, unknown>[]> {
  const { out } = await hvrewind(['export', file, '--format', 'events']);
  const lines = out.trim().split('\n').slice(1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('record --kernel -- CMD: the ioctls in full depth by ptrace, and the kernel between, in one order', {
  skip: why ?? false,
}, async (context) => {
  const [file, summary] = [join(folder, 'p.hvtrace'), join(folder, 'p.json')];
  const program = ['--', process.execPath, '-e', CLIENT];
  const words = ['record', '--kernel', '--msr', '0x6e0,0x830', '--summary', summary, '-o', file, ...program];
  const recorded = await hvrewind(words);
  if (/ptrace/.test(recorded.err)) return context.skip(recorded.err);
  assert.equal(recorded.exit, 7, recorded.err);
  assert.match(recorded.err, /this kernel lacks .*mshv/);
  const events = await exported(file);
  const ioctls = events.filter(({ kind }) => kind === 'ioctl');
  assert.equal(ioctls.length, 21, recorded.err);
  for (const { op, arg, ret, tEnd, component } of ioctls.slice(0, 20)) {
    const expected = { op: '0x4020b802', arg: { bytes: '07'.repeat(32) }, ret: -25, component: 'vmm' };
    assert.deepEqual({ op, arg, ret, component }, expected);
    assert.ok(tEnd !== undefined);
  }
  const accesses = events.filter(({ kind }) => kind === 'msr');
  const times = (await hvrewind(['show', file, '--json'])).out.trim().split('\n').length;
  assert.equal(times, events.length);
  const first = events.findIndex(({ kind }) => kind === 'ioctl');
  assert.ok(accesses.length > 5, `${accesses.length} accesses`);
  assert.ok(
    events.slice(0, first).some(({ kind }) => kind === 'msr'),
    'none before the first call',
  );
  assert.ok(
    events.slice(first).some(({ kind }) => kind === 'msr'),
    'none behind it',
  );
  for (const { parent, tid } of accesses)
    if (parent !== undefined) assert.equal(events[Number(parent) - 1]?.tid, tid);
  const told = JSON.parse(readFileSync(summary, 'utf8'));
  assert.deepEqual([told.lost, told.mode, told.kernel.lost, told.kernel.badBytes], [0, 'filter', 0, 0]);
  assert.ok(told.kernel.events >= accesses.length);
  assert.equal((await hvrewind(['replay', file, '--verify'])).exit, 0);
});

test('record --kernel --attach PID --seconds: lets the program go, and takes its part of tracefs away', {
  skip: why ?? false,
}, async (context) => {
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    const file = join(folder, 'a.hvtrace');
    const words = [
      'record',
      '--kernel',
      '--msr',
      '0x6e0',
      '--attach',
      String(sleeper.pid),
      '--seconds',
      '0.4',
    ];
    const { exit, err } = await hvrewind([...words, '-o', file]);
    if (exit === 3) return context.skip(err);
    assert.deepEqual([exit, /the program goes on$/m.test(err)], [0, true], err);
    assert.equal(sleeper.exitCode, null);
    assert.ok((await exported(file)).some(({ kind }) => kind === 'msr'));
  } finally {
    sleeper.kill('SIGKILL');
  }
});

test('record --uprobe, with the kernel: ioctls of the program with their arguments, in one order', {
  skip: why ?? false,
}, async () => {
  const file = join(folder, 'u.hvtrace');
  const words = [
    'record',
    '--kernel',
    '--uprobe',
    '--msr',
    '0x6e0',
    '-o',
    file,
    '--',
    process.execPath,
    '-e',
    CLIENT,
  ];
  const recorded = await hvrewind(words);
  assert.equal(recorded.exit, 7, recorded.err);
  const shown = await hvrewind(['export', file, '--format', 'events']);
  const events = shown.out
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const ioctls = events.filter(({ kind }) => kind === 'ioctl');
  assert.equal(ioctls.length, 21, recorded.err);
  for (const { op, arg, handle, component, pid, ret, tEnd } of ioctls.slice(0, 20)) {
    assert.deepEqual(
      { op, arg, component },
      { op: '0x4020b802', arg: { bytes: '07'.repeat(32) }, component: 'vmm' },
    );
    assert.match(String(handle), /^foreign:\d+$/);
    // It failed: errno is not seen.
    assert.ok(pid !== undefined && ret === undefined && tEnd !== undefined);
  }
  assert.ok(ioctls[20] !== undefined && ioctls[20].op === '0x8100b800' && ioctls[20].arg === undefined);
  assert.ok(events.some(({ kind }) => kind === 'msr'));
  assert.ok(events.some(({ text }) => String(text).includes('ioctls are seen at the entry of ioctl()')));
});

test('what does not go together is one line, and nothing is written', async () => {
  for (const [words, line] of [
    [['--kernel', '--seconds', '0'], /^hvrewind: record: --seconds "0": expected a number of seconds$/m],
    [['--kernel', '--msr', '6e0'], /^hvrewind: record: --msr "6e0": expected MSRs like 0x6e0,0x800-0x83f$/m],
    [
      ['--kernel', '--seconds', '1', '--', 'true'],
      /^hvrewind: record: --seconds goes with --kernel alone or --attach; a program is recorded to its end$/m,
    ],
    [['--uprobe'], /^hvrewind: record: --uprobe needs a program after --, or --attach PID$/m],
    [
      ['--seconds', '3', '--', 'true'],
      /^hvrewind: record: --seconds goes with --kernel alone or --attach; a program is recorded to its end$/m,
    ],
  ] as const) {
    const ran = await hvrewind(['record', ...words], folder);
    assert.equal(ran.exit, 2, ran.err);
    assert.match(ran.err, line);
  }
});

test('an ordinary user is told what to do', {
  skip: isRoot ? shutToNobody : 'root alone can become another user',
}, async () => {
  const ran = await hvrewind(['record', '--kernel', '-o', '/tmp/never.hvtrace'], undefined, NOBODY);
  assert.equal(ran.exit, 3, ran.err);
  assert.match(ran.err, /^hvrewind: record: (?:tracefs is not mounted|\S+ may not be written); \S/m);
});
