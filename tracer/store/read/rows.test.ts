import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { traces } from '../../../engine/trace/events.testing.ts';
import { seqOf, timeNs } from '../../../engine/trace/position.ts';
import { good } from '../good.testing.ts';
import { headerOf } from '../header.testing.ts';
import { TraceWriter } from '../index.ts';
import { scratch } from '../scratch.testing.ts';
import { openForReading } from './open.ts';
import { Queries } from './queries.ts';
import { RowReader } from './rows.ts';

const folder = scratch();
const path = join(folder, 'rows.hvtrace');

test('rows through SQLite and rows from pages are the same events', () => {
  fc.assert(
    fc.property(traces(40), fc.nat(39), (events, from) => {
      const writer = good(TraceWriter.create(path, headerOf(), { force: true }));
      for (const event of events) writer.append(event);
      writer.close();
      const opened = good(openForReading(path));
      const queries = new Queries(path, opened.db);
      const readers = [new RowReader(queries, undefined), new RowReader(queries, opened.file)];
      for (const reader of readers) {
        assert.deepStrictEqual([...reader.events(1, events.length)], events);
        assert.deepStrictEqual([...reader.events(from + 1, events.length)], events.slice(from));
      }
      opened.close();
      for (const reader of readers) reader.close();
    }),
    { numRuns: 60 },
  );
});

test('a trace of several levels of pages is read from any place, long rows too', () => {
  const total = 60_000;
  const noteOf = (seq: number): string | undefined =>
    seq % 997 === 0 ? 'long '.repeat(2000 + (seq % 7)) : undefined;
  const writer = good(TraceWriter.create(path, headerOf(), { force: true }));
  for (let seq = 1; seq <= total; seq += 1) {
    const note = noteOf(seq);
    writer.append({
      seq: seqOf(seq),
      t: timeNs(seq),
      kind: 'msr',
      dir: 'read',
      msr: 0x40000000,
      value: 0xffff_ffff_ffff_fff0n - BigInt(seq),
      provenance: 'observed',
      ...(note === undefined ? {} : { note }),
    });
  }
  writer.close();
  const opened = good(openForReading(path));
  const reader = new RowReader(new Queries(path, opened.db), opened.file);
  let seq = 0;
  for (const event of reader.events(1, total)) {
    seq += 1;
    assert.equal(event.kind === 'msr' && event.value, 0xffff_ffff_ffff_fff0n - BigInt(seq));
    assert.equal(event.note, noteOf(seq));
  }
  assert.equal(seq, total);
  for (const at of [1, 2, 996, 997, 4096, 30_001, 59_999, total]) {
    const [event] = reader.events(at, at);
    assert.equal(event?.seq, at);
  }
  assert.throws(() => [...reader.events(total, total + 1)], /event 60001 is damaged: it is missing/);
  opened.close();
  reader.close();
});
