import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isProblem, openTrace } from '../../tracer/store/index.ts';
import { openDatabase } from '../../tracer/store/sqlite.ts';
import { hvrewind, PROGRAM } from '../cli/hvrewind.testing.ts';
import { atPrompt } from '../cli/prompt.testing.ts';
import { build, emulate, events, LACKING, scratch, verify } from './build.testing.ts';

/** Of each are some 6 events; a ring of 500 may hold several times as many, where the machine seldom rests. */
const MANY_PARTITIONS = 2500;

// Two at a time: each waits for processes most of the time.
describe('what of the events is kept', { skip: LACKING, concurrency: 2 }, () => {
  const folder = scratch();

  test('--filter: exactly those events that show finds in a whole recording', async () => {
    const program = build('test/emulate/clients/errors.c', folder);
    const whole = await emulate(folder, [program]);
    for (const filter of [
      'kind == hypercall',
      'errno == EFAULT',
      'kind in {ioctl, fd} && handle ~ partition',
    ]) {
      const { exit, trace } = await emulate(folder, [program], { more: ['--filter', filter] });
      assert.equal(exit, 0);
      const plain = ({
        kind,
        op,
        what,
        code,
        arg,
        ret,
        input,
        result,
      }: Record<string, unknown>): unknown => ({
        ...{ kind, op, what, code, ret, input, result },
        // Where its memory stands is another place in each run.
        arg: typeof arg === 'object' ? { ...arg, userspace_addr: undefined } : arg,
      });
      const expected = (await events(whole.trace, filter)).map(plain);
      assert.ok(expected.length > 0, filter);
      assert.deepEqual((await events(trace, `kind != mark`)).map(plain), expected, filter);
      const marks = await events(trace, 'kind == mark');
      assert.match(String(marks[0]?.text), /^recorded with the filter/);
      const all = (await events(whole.trace, '')).length;
      const lost = marks.reduce((sum, { lost }) => sum + Number(lost ?? 0), 0);
      assert.equal(lost + expected.length, all);
      const reader = openTrace(trace);
      if (isProblem(reader)) assert.fail(reader.text);
      assert.equal(reader.header.profile.initial, 'unknown');
      reader.close();
    }
  });

  test('--filter: what is no filter is refused before anything runs', async () => {
    const { exit, out, err } = await emulate(folder, ['echo', 'ran'], { more: ['--filter', 'kind == mrs'] });
    assert.deepEqual([exit, out], [2, '']);
    assert.match(err, /^hvrewind: emulate: filter, column 9: .*\n$/);
  });

  /** All cells at the end. */
  async function cells(trace: string): Promise<unknown> {
    const { out } = await atPrompt(['state', '--json', trace], folder);
    const { cells } = JSON.parse(out) as { cells: { path: string; value: unknown; writer?: unknown }[] };
    return cells.map(({ path, value }) => `${path} ${value}`);
  }

  test('--ring: the last events replay without a divergence, to the state of the whole recording', async () => {
    const program = build('test/emulate/clients/rounds.c', folder);
    const whole = await emulate(folder, [program, '40']);
    const ring = await emulate(folder, [program, '40'], { more: ['--ring', '200'] });
    assert.equal(ring.exit, 0);
    const { divergences, verified, checked } = await verify(ring.trace);
    assert.deepEqual(divergences, []);
    assert.equal(verified, true);
    assert.ok(checked > 400, `${checked} checked`);
    const [all, last] = [await events(whole.trace, ''), await events(ring.trace, '')];
    assert.ok(last.length >= 200 && last.length < all.length / 2, `${last.length} of ${all.length}`);
    const plain = ({ kind, op, what, code, arg, ret, result }: Record<string, unknown>): unknown => ({
      ...{ kind, op, what, code, arg, ret, result },
    });
    assert.deepEqual(last.map(plain), all.slice(-last.length).map(plain));
    assert.deepEqual(await cells(ring.trace), await cells(whole.trace));
  });

  test('--ring and --until: it ends with the first event that matches', async () => {
    const program = build('test/emulate/clients/rounds.c', folder);
    const until = 'op == RUN_VP && t > 1ms';
    const { exit, trace } = await emulate(folder, [program, '30'], {
      more: ['--ring', '100', '--until', until],
    });
    assert.equal(exit, 0);
    const last = (await events(trace, '')).at(-1);
    assert.deepEqual([last?.op, last?.ret], ['MSHV_RUN_VP', undefined]);
    assert.equal((await events(trace, until)).length, 1);
    assert.deepEqual((await verify(trace)).divergences, []);
  });

  test('--ring: SIGUSR2 writes what it holds beside the file, and it goes on', async () => {
    const program = build('test/emulate/clients/forever.c', folder);
    const trace = join(folder, 'signalled.hvtrace');
    const child = spawn(PROGRAM, ['emulate', '--quiet', '-o', trace, '--ring', '500', '--', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'close');
    let lines = 0;
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      lines += piece.split('\n').length - 1;
    });
    const more = async (than: number): Promise<void> => {
      for (const wanted = lines + than; lines < wanted && child.exitCode === null; ) await wait(10);
    };
    await more(1);
    child.kill('SIGUSR2');
    // Of each partition are several events: by then the ring has let go of its first.
    await more(MANY_PARTITIONS);
    child.kill('SIGTERM');
    await ended;
    const snapshot = trace.replace('.hvtrace', '-1.hvtrace');
    for (const path of [snapshot, trace]) assert.deepEqual((await verify(path)).divergences, [], path);
    const first = async (path: string) => String((await events(path, 'seq == 1'))[0]?.t);
    assert.notEqual(await first(snapshot), await first(trace));
  });

  test('--ring: a rule is broken: a copy says so while the program runs, one for the one finding', async () => {
    const program = build('test/emulate/clients/stuck.c', folder);
    const { exit, err, trace } = await emulate(folder, [program], { more: ['--ring', '500'] });
    const copy = trace.replace('.hvtrace', '-1.hvtrace');
    assert.deepEqual([exit, err.split(': what led to it is in ').slice(1)], [0, [`${copy}\n`]], err);
    assert.match(err, /^hvrewind: R24:/);
    const { findings } = JSON.parse((await atPrompt(['check', '--json', copy], folder)).out);
    assert.deepEqual(
      findings.map(({ rule }: { rule: string }) => rule),
      ['R24'],
    );
    const runs = async (path: string) => (await events(path, 'op == RUN_VP')).length;
    assert.ok((await runs(copy)) < (await runs(trace)), 'it went on');
  });

  test('--ring: the state with which it starts travels: as text, packed, and with what minimize leaves', async () => {
    const program = build('test/emulate/clients/stuck.c', folder);
    const { trace } = await emulate(folder, [program, '60'], { more: ['--ring', '100'] });
    const at = (name: string): string => join(folder, `travels.${name}`);
    const done = async (...words: string[]): Promise<string> => {
      const { exit, out, err } = await atPrompt(words, folder);
      assert.equal(exit, 0, err);
      return out;
    };
    const { hash, checked, divergences } = await verify(trace);
    assert.deepEqual([divergences, checked > 50], [[], true]);
    await done('export', trace, '-o', at('ndjson'));
    assert.match(
      readFileSync(at('ndjson'), 'utf8'),
      /^\{"profile":\{"initial":"unknown"\},"start":\{"version":1,/,
    );
    await done('import', at('ndjson'), '-o', at('imported.hvtrace'));
    await done('pack', trace, '-o', at('hvtrace.zst'));
    await done('unpack', at('hvtrace.zst'), '-o', at('unpacked.hvtrace'));
    const [text, state] = [await done('export', trace), await cells(trace)];
    for (const path of ['imported.hvtrace', 'hvtrace.zst', 'unpacked.hvtrace'].map(at)) {
      const again = await verify(path);
      assert.deepEqual([again.hash, again.checked, again.divergences], [hash, checked, []], path);
      assert.deepEqual(await cells(path), state, path);
      assert.equal(await done('export', path), text, path);
    }
    const finding = 'R24:vmm:not-handled';
    for (const ending of ['small.ndjson', 'small.hvtrace'])
      await done('minimize', trace, '--finding', finding, '-o', at(ending));
    await done('import', at('small.ndjson'), '-o', at('small-again.hvtrace'));
    for (const path of ['small.hvtrace', 'small-again.hvtrace'].map(at)) {
      const { findings } = JSON.parse((await atPrompt(['check', '--json', path], folder)).out);
      assert.ok(
        findings.some(({ id }: { id: string }) => id === finding),
        path,
      );
      const few = await events(path, '');
      assert.ok(few.length < 10, `${few.length} events`);
    }
    assert.match((await atPrompt(['export', '--derived', trace], folder)).err, /leave out --derived/);
    const other = readFileSync(at('ndjson'), 'utf8').replace('"version":1', '"version":2');
    writeFileSync(at('other.ndjson'), other);
    const refused = await atPrompt(['import', at('other.ndjson'), '-o', at('other.hvtrace')], folder);
    assert.deepEqual([refused.exit, existsSync(at('other.hvtrace'))], [2, false], refused.err);
    assert.equal((await atPrompt(['run', at('ndjson'), '-o', at('run.hvtrace')], folder)).exit, 2);
  });

  test('--ring: a state that is not one is refused, and its size and a filter beside it', async () => {
    const program = build('test/emulate/clients/rounds.c', folder);
    const { trace } = await emulate(folder, [program, '30'], { more: ['--ring', '100'] });
    const db = openDatabase(trace, {});
    db.prepare('UPDATE checkpoint SET cells = cells + 1').run();
    db.close();
    const { exit, err } = await atPrompt(['replay', trace], folder);
    assert.deepEqual([exit, /the state with which it starts is not readable/.test(err)], [2, true], err);
    for (const more of [
      ['--ring', '12x'],
      ['--ring', '100', '--filter', 'kind == ioctl'],
    ])
      assert.equal((await emulate(folder, ['true'], { more })).exit, 2);
  });

  test('record --filter and --until', async (context) => {
    const program = build('test/emulate/clients/foreign.c', folder);
    const [some, few] = [join(folder, 'some.hvtrace'), join(folder, 'few.hvtrace')];
    const filter = 'kind == ioctl && op == 0xb802';
    const recorded = await hvrewind(['record', '-o', some, '--filter', filter, '--', program], folder);
    // A container may forbid ptrace.
    if (recorded.exit === 3) {
      context.skip(recorded.err);
      return;
    }
    assert.equal(recorded.exit, 0, recorded.err);
    assert.equal((await events(some, filter)).length, 10);
    assert.equal((await events(some, 'kind != mark')).length, 10);
    const until = 'op == 0xb803';
    assert.equal((await hvrewind(['record', '-o', few, '--until', until, '--', program], folder)).exit, 0);
    const ops = (await events(few, 'kind == ioctl')).map(({ op }) => op);
    assert.deepEqual(ops, ['0xb801', '0xb802', '0xb803']);
  });
});
