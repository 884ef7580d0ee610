import assert from 'node:assert/strict';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, mock, test } from 'node:test';
import fc from 'fast-check';
import { EVENT_KINDS, type TraceEvent } from '../../../engine/trace/event.ts';
import { traces } from '../../../engine/trace/events.testing.ts';
import { failed } from '../../../engine/trace/failed.ts';
import { formatVp } from '../../../engine/trace/handle.ts';
import { type Seq, seqOf, timeNs } from '../../../engine/trace/position.ts';
import { good } from '../good.testing.ts';
import { headerOf } from '../header.testing.ts';
import {
  openTrace,
  recoverTrace,
  TraceFileError,
  type TraceReader,
  TraceWriter,
  tileEvents,
} from '../index.ts';
import { scratch } from '../scratch.testing.ts';
import { openDatabase } from '../sqlite.ts';
import { decodeTile, encodeTile } from './tile.ts';

/** Rows that wait for a commit at most (../write/writer.ts). */
const MOST_WAITING = 4096;

const folder = scratch();
const path = (name: string): string => join(folder, name);

const create = (name: string): TraceWriter =>
  good(TraceWriter.create(path(name), headerOf(), { force: true }));

function reading<T>(name: string, read: (reader: TraceReader) => T): T {
  const reader = good(openTrace(path(name)));
  try {
    return read(reader);
  } finally {
    reader.close();
  }
}

/** A line for each actor, bucket and kind. */
type Counts = Map<string, { count: number; failed: number; first: number }>;

function whoText({ cpu, component, pid, tid, vp, vtl }: Partial<TraceEvent>): string {
  return JSON.stringify([cpu, component, pid, tid, vp === undefined ? vp : formatVp(vp), vtl]);
}

/** The counts of full buckets, one event at a time. */
function counted(events: Iterable<TraceEvent>, total: number, level: number): Counts {
  const size = tileEvents(level);
  const full = Math.floor(total / size);
  const counts: Counts = new Map();
  for (const event of events) {
    const bucket = Math.floor((event.seq - 1) / size);
    if (bucket >= full) break;
    const key = `${bucket} ${whoText(event)} ${event.kind}`;
    const own = counts.get(key) ?? { count: 0, failed: 0, first: event.seq };
    counts.set(key, { ...own, count: own.count + 1, failed: own.failed + (failed(event) ? 1 : 0) });
  }
  return counts;
}

function offered(reader: TraceReader, level: number): Counts {
  const tiles = reader.tiles(level, 0, Number.MAX_SAFE_INTEGER);
  return new Map(
    tiles.flatMap(({ bucket, actor, counts }) =>
      counts.map(({ kind, ...own }) => [`${bucket} ${whoText(actor)} ${kind}`, { ...own }] as const),
    ),
  );
}

function agrees(reader: TraceReader): void {
  for (const level of [0, 1, 2])
    assert.deepEqual(offered(reader, level), counted(reader.range(), reader.events, level));
}

/** Many events out of few, numbered anew. */
function repeated(few: readonly TraceEvent[], count: number): TraceEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const { parent: _parent, ...event } = few[i % few.length] as TraceEvent & { tEnd?: number };
    const late = event.tEnd === undefined ? {} : { tEnd: i };
    return { ...event, seq: i + 1, t: i, ...late } as unknown as TraceEvent;
  });
}

const some = traces(40).filter((events) => events.length > 0);

/** An ioctl whose return is written so many events later. */
function call(i: number): TraceEvent & { kind: 'ioctl' } {
  return {
    ...{ seq: seqOf(i + 1), t: timeNs(i), kind: 'ioctl', provenance: 'observed', pid: 7, tid: i % 3 },
    ...{ handle: { kind: 'device', open: 1 }, op: 0x8100b807, ret: null },
  } as TraceEvent & { kind: 'ioctl' };
}

describe('tiles', () => {
  test('count what the rows hold, whatever the events and whenever they are committed', () => {
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 4000 }), fc.nat(5), (few, count, every) => {
        let clockMs = 0;
        const clock = mock.method(performance, 'now', () => clockMs);
        const writer = create('any.hvtrace');
        for (const event of repeated(few, count)) {
          // A second later everything that waits is due.
          if (every > 0 && event.seq % (every * 211) === 0) clockMs += 1000;
          writer.append(event);
        }
        clock.mock.restore();
        writer.close();
        reading('any.hvtrace', (reader) => {
          assert.equal(reader.hasTiles, true);
          agrees(reader);
        });
      }),
      { numRuns: 15 },
    );
  });

  test('count failures of calls that return within the bucket, after it, and after their tile is in the file', () => {
    for (const later of [5, 1500, 9000]) {
      const writer = create('late.hvtrace');
      for (let i = 0; i < 20_000; i += 1) {
        writer.begin(call(i));
        if (i >= later) writer.complete((i - later + 1) as Seq, { ret: i % 5 === 0 ? -22 : 0 });
      }
      writer.close();
      reading('late.hvtrace', agrees);
    }
  });

  test('reach the last commit of a recording that is cut', () => {
    const writer = create('cut.hvtrace');
    const written = 8192 + MOST_WAITING;
    for (let i = 0; i < written; i += 1) writer.append(call(i));
    // What the killed recorder leaves: the file and its -wal as they are.
    for (const suffix of ['', '-wal'])
      copyFileSync(path(`cut.hvtrace${suffix}`), path(`left.hvtrace${suffix}`));
    writer.abort();
    assert.ok(existsSync(path('left.hvtrace-wal')));
    reading('left.hvtrace', (reader) => {
      assert.ok(
        reader.events > written - MOST_WAITING && reader.events <= written,
        `${reader.events} events`,
      );
      assert.equal(reader.complete, false);
      assert.equal(reader.hasTiles, true);
      agrees(reader);
      assert.ok(offered(reader, 1).size > 0);
    });
  });

  test('are in what is recovered from a torn file', () => {
    const writer = create('torn.hvtrace');
    for (let i = 0; i < 9000; i += 1) writer.append(call(i));
    writer.close();
    good(recoverTrace(path('torn.hvtrace'), path('saved.hvtrace'), { force: true }));
    reading('saved.hvtrace', (reader) => {
      assert.equal(reader.hasTiles, true);
      agrees(reader);
      assert.ok(offered(reader, 1).size > 0);
    });
  });

  test('are made from the rows where the file has none', () => {
    const writer = create('none.hvtrace');
    for (let i = 0; i < 9000; i += 1) writer.append(call(i));
    writer.close();
    const before = reading('none.hvtrace', (reader) => offered(reader, 0));
    const db = openDatabase(path('none.hvtrace'), {});
    db.exec('DELETE FROM tile');
    db.close();
    reading('none.hvtrace', (reader) => {
      assert.equal(reader.hasTiles, false);
      assert.deepEqual(offered(reader, 0), before);
      agrees(reader);
    });
  });

  test('that no writer writes are a problem of one line', () => {
    const writer = create('hostile.hvtrace');
    for (let i = 0; i < 9000; i += 1) writer.append(call(i));
    writer.close();
    const changes = [
      'DELETE FROM tile WHERE level = 0 AND bucket = 3',
      'DELETE FROM tile WHERE level = 0 AND bucket = 3 AND lane = 2',
      'DELETE FROM tile WHERE level = 0 AND bucket = 7',
      "UPDATE tile SET data = x'' WHERE level = 0 AND bucket = 0 AND lane = 1",
      "UPDATE tile SET data = x'0001' WHERE level = 0 AND bucket = 0 AND lane = 1",
      "UPDATE tile SET data = x'00ff'",
      "UPDATE tile SET data = 'text'",
      'UPDATE tile SET lane = lane + 100',
      "INSERT INTO tile VALUES (0, 'x', 2, x'00010000')",
      "INSERT INTO tile VALUES (0, 1, 2.5, x'00010000')",
      "INSERT INTO tile VALUES (0, 9, 2, x'00010000')",
    ];
    for (const sql of changes) {
      copyFileSync(path('hostile.hvtrace'), path('changed.hvtrace'));
      const db = openDatabase(path('changed.hvtrace'), {});
      db.exec(sql);
      db.close();
      const oneLine = (error: unknown): boolean =>
        error instanceof TraceFileError && /tile .* of level 0 is damaged/.test(error.message);
      reading('changed.hvtrace', (reader) => {
        assert.throws(() => offered(reader, 0), oneLine, sql);
        assert.equal([...reader.range(8990)].length, 11, 'its events are as good as before');
      });
    }
  });

  test('any bytes are counts within the bucket, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(3), fc.nat(9), (data, level, bucket) => {
        const counts = decodeTile(level, bucket, data);
        if (counts === undefined) return;
        const [first, end] = [bucket * tileEvents(level) + 1, (bucket + 1) * tileEvents(level) + 1];
        for (const own of counts) {
          assert.ok(own.failed <= own.count && own.first >= first && own.first + own.count <= end);
        }
        assert.ok(counts.length <= EVENT_KINDS.length);
        assert.deepEqual(decodeTile(level, bucket, encodeTile(level, bucket, counts)), counts);
      }),
    );
  });
});
