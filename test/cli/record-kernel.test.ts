import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
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

test('what does not go together is one line, and nothing is written', async () => {
  for (const [words, line] of [
    [['--kernel', '--seconds', '0'], /^hvrewind: record: --seconds "0": expected a number of seconds$/m],
    [['--kernel', '--msr', '6e0'], /^hvrewind: record: --msr "6e0": expected MSRs like 0x6e0,0x800-0x83f$/m],
    [['--kernel', '--', 'true'], /^hvrewind: record: --kernel records the whole machine/m],
    [['--seconds', '3', '--', 'true'], /^hvrewind: record: --seconds goes with --kernel$/m],
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
