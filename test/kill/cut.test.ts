import assert from 'node:assert/strict';
import { copyFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { headerOf } from '../../tracer/store/header.testing.ts';
import {
  isProblem,
  openTrace,
  recoverTrace,
  type TraceReader,
  TraceWriter,
} from '../../tracer/store/index.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { eventAt } from './events.ts';

const folder = scratch();
const path = (name: string): string => join(folder, name);

const STEP = 4096;
/** More than the rows after which a writer commits: the -wal holds two commits and more. */
const EVENTS = 9000;

function write(name: string): TraceWriter {
  const writer = TraceWriter.create(path(name), headerOf());
  if (isProblem(writer)) assert.fail(writer.text);
  for (let seq = 1; seq <= EVENTS; seq++) {
    const event = eventAt(seq, seq * 100);
    writer.append(event.kind === 'ioctl' ? { ...event, ret: 0 } : event);
  }
  return writer;
}

/** Every event of a reader is as it was written; `numbered`: at its own place. Returns how many there are. */
function count(reader: TraceReader, numbered: boolean): number {
  let events = 0;
  for (const event of reader.range()) {
    events++;
    if (event.kind === 'mark') continue;
    const seq = numbered ? events : event.t / 100;
    const { parent, ...expected } = eventAt(seq, seq * 100);
    const { parent: above, note, ...own } = event;
    if (note !== undefined) continue;
    if (numbered) assert.equal(above, parent);
    assert.deepEqual(own, {
      ...expected,
      ...(expected.kind === 'ioctl' ? { ret: 0 } : {}),
      ...(numbered ? {} : { seq: event.seq }),
    });
  }
  assert.equal(events, reader.events);
  return events;
}

/** What is saved of a file that does not open; 0 where no page of it holds an event. */
function recovered(from: string): number {
  const report = recoverTrace(path(from), path('saved.hvtrace'), { force: true });
  if (isProblem(report)) return 0;
  const reader = openTrace(path('saved.hvtrace'));
  if (isProblem(reader)) assert.fail(reader.text);
  try {
    count(reader, false);
    return report.saved;
  } finally {
    reader.close();
  }
}

test('cut at every 4 KiB, a finished recording opens or names recover, which saves ever more', () => {
  write('whole.hvtrace').close();
  const { size } = statSync(path('whole.hvtrace'));
  let [last, cuts] = [0, 0];
  for (let at = 0; at < size; at += STEP) {
    copyFileSync(path('whole.hvtrace'), path('short.hvtrace'));
    truncateSync(path('short.hvtrace'), at);
    const opened = openTrace(path('short.hvtrace'));
    assert.ok(isProblem(opened), `${at} of ${size} bytes open`);
    assert.doesNotMatch(opened.text, /\n/);
    // Of an empty file, or one without a whole first page, nothing says that it is a trace.
    if (at >= STEP) assert.match(opened.text, /recover/, `${at} bytes: ${opened.text}`);
    if (cuts++ % 8 !== 0) continue;
    const saved = recovered('short.hvtrace');
    assert.ok(saved >= last, `${saved} events of ${at} bytes, ${last} of fewer`);
    last = saved;
  }
  assert.ok(cuts > 100 && last > (EVENTS * 2) / 3, `${cuts} cuts, at most ${last} events`);
});

test('cut at every 4 KiB, the -wal of a killed recorder gives what was committed before', () => {
  const writer = write('open.hvtrace');
  for (const suffix of ['', '-wal']) copyFileSync(path(`open.hvtrace${suffix}`), path(`killed${suffix}`));
  writer.close();
  const { size } = statSync(path('killed-wal'));
  const seen = new Set<number>();
  let last = 0;
  for (let at = 0; at < size + STEP; at += STEP) {
    copyFileSync(path('killed'), path('torn.hvtrace'));
    copyFileSync(path('killed-wal'), path('torn.hvtrace-wal'));
    truncateSync(path('torn.hvtrace-wal'), Math.min(at, size));
    rmSync(path('torn.hvtrace-shm'), { force: true });
    const reader = openTrace(path('torn.hvtrace'));
    if (isProblem(reader)) assert.fail(`${at} bytes: ${reader.text}`);
    const events = reader.events === last ? last : count(reader, true);
    reader.close();
    assert.ok(events >= last);
    last = events;
    seen.add(events);
  }
  // What was committed, and when, depends on the time that the writer had too.
  assert.ok(seen.has(0) && seen.size >= 3, [...seen].join());
});
