/** The worker thread of a trace, as `serve` and the desktop use it. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import type { AppProgress } from '../../engine/app/api.ts';
import { type AppCall, readCall } from '../../engine/app/border.ts';
import { HostedTrace } from '../../main/session/hosted-trace.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { openDatabase } from '../../tracer/store/sqlite.ts';
import { runTrace } from './sessions.testing.ts';

/** A replay of a second or more, which waits for a window's first picture. */
const EVENTS = 60_000;
const folder = scratch();
const long = runTrace(folder, EVENTS);

function call(method: string, input: object): AppCall {
  const read = readCall(method, input);
  assert.ok(!('problem' in read));
  return read;
}

const FINDINGS = call('findings', {});
const TIMELINE = call('timeline', { axis: 'events', from: 1, to: EVENTS + 1, buckets: 100, derived: false });
const ROWS = call('events', { filter: '', derived: true, from: 0, count: 50 });

/** What is open: its worker keeps this process alive. */
const open: HostedTrace[] = [];
afterEach(() => Promise.all(open.splice(0).map((trace) => trace.close())));

/** Opens a trace, with the news of its replay and how it ends. */
function host(path: string) {
  const news: AppProgress[] = [];
  const done = Promise.withResolvers<AppProgress>();
  const dead = Promise.withResolvers<string>();
  const trace = new HostedTrace(path, {
    progress(progress) {
      news.push(progress);
      if (progress.state !== 'replaying') done.resolve(progress);
    },
    ended: (problem) => dead.resolve(problem),
  });
  open.push(trace);
  return { trace, news, done: done.promise, dead: dead.promise };
}

describe('the worker of a trace', () => {
  test('answers from the file, puts off the rest, and answers that when the replay is done', async () => {
    const { trace, news, done } = host(long);
    assert.equal(await trace.opened, 'opened');
    const early = await trace.ask(ROWS);
    assert.ok('value' in (await trace.ask(TIMELINE)));
    assert.deepEqual(await trace.ask(FINDINGS), { waiting: true });
    assert.equal(trace.progress.state, 'replaying');
    assert.deepEqual(await done, { state: 'replayed' });
    assert.deepEqual(await trace.ask(call('progress', {})), { value: { state: 'replayed' } });
    assert.deepEqual(await trace.ask(FINDINGS), { value: { findings: [] } });
    assert.ok('value' in early && JSON.stringify(early.value).includes('"at":"50"'));
    assert.deepEqual(await trace.ask(call('event', { at: '99999999' })), {
      problem: 'the trace has no position 99999999',
    });
    for (const progress of news.slice(0, -1)) assert.equal(progress.state, 'replaying');
    await trace.close();
  });

  test('is gone soon after it is closed, in the middle of a replay', async () => {
    const { trace, done } = host(long);
    await trace.opened;
    const waiting = trace.ask(ROWS);
    await trace.close();
    assert.deepEqual(await waiting, { problem: 'run-60000.hvtrace was closed' });
    assert.deepEqual(await trace.ask(ROWS), { problem: 'run-60000.hvtrace is not open' });
    assert.equal(await Promise.race([done, 'nothing more']), 'nothing more');
  });

  test('compares with another trace, tells how far it is, answers others meanwhile, and ends when it is told to', async () => {
    const { trace, done } = host(long);
    await trace.opened;
    trace.ask(TIMELINE);
    await done;
    const compare = call('compare', { against: 'trace', edits: [] });
    assert.deepEqual(await trace.ask(compare), {
      value: { problem: 'there is no other trace to compare with' },
    });
    const missing = await trace.compareWith(join(folder, 'none.hvtrace'));
    assert.ok('problem' in missing && /no such file/.test(missing.problem));
    assert.deepEqual(await trace.compareWith(long), { value: { name: trace.name } });
    const compared = trace.ask(compare);
    const seen: number[] = [];
    for (;;) {
      const reply = await trace.ask(call('work', {}));
      assert.ok('value' in reply);
      const { work } = reply.value as { work: { what: string; done: number; total: number } | null };
      assert.ok(work !== null, 'it ends only when it is told to');
      assert.equal(work.what, 'compare');
      // With what the engine works out besides.
      assert.ok(work.total >= 2 * EVENTS);
      seen.push(work.done);
      if (new Set(seen).size > 3) break;
    }
    assert.ok('value' in (await trace.ask(ROWS)));
    assert.deepEqual(await trace.ask(call('cancel', {})), { value: { cancelled: true } });
    assert.deepEqual(await compared, { problem: 'cancelled' });
    assert.deepEqual(await trace.ask(call('work', {})), { value: { work: null } });
    await trace.close();
  });

  test('says in a line what cannot be opened', async () => {
    const { trace } = host(join(folder, 'none.hvtrace'));
    const outcome = await trace.opened;
    assert.ok(typeof outcome === 'object');
    assert.match(outcome.problem, /none\.hvtrace: no such file/);
    assert.equal(outcome.exit, 2);
    await trace.close();
  });

  test('says in a line why a replay came to no end, and goes on answering from the file', async () => {
    const torn = join(folder, 'torn.hvtrace');
    copyFileSync(long, torn);
    const db = openDatabase(torn, {});
    db.exec('UPDATE event SET parent = seq + 1 WHERE seq = 30000');
    db.close();
    const { trace, done } = host(torn);
    await trace.opened;
    const ended = await done;
    assert.ok(ended.state === 'failed');
    assert.match(ended.problem, /^[^\n]*torn\.hvtrace: event 30000 is damaged: [^\n]*recover[^\n]*$/);
    assert.deepEqual(await trace.ask(FINDINGS), { waiting: true });
    assert.ok('value' in (await trace.ask(ROWS)));
    await trace.close();
  });
});
