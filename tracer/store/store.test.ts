import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { traces } from '../../engine/trace/events.testing.ts';
import { type Seq, seqOf, timeNs } from '../../engine/trace/position.ts';
import { good } from './good.testing.ts';
import { headerOf } from './header.testing.ts';
import { openTrace, type TraceReader } from './read/reader.ts';
import { scratch } from './scratch.testing.ts';
import { TraceWriter, type WriterOptions } from './write/writer.ts';

const folder = scratch();

function create(name: string, options: WriterOptions = {}): TraceWriter {
  return good(TraceWriter.create(join(folder, name), headerOf({ kernel: 'upstream-7.0' }), options));
}

function open(name: string): TraceReader {
  return good(openTrace(join(folder, name)));
}

test('what is written is read: every kind of event, every field', () => {
  fc.assert(
    fc.property(traces(40), (events) => {
      const writer = create('property.hvtrace', { force: true });
      for (const event of events) writer.append(event);
      writer.close();
      const reader = open('property.hvtrace');
      try {
        assert.deepStrictEqual([...reader.range()], events);
        const middle = events.length >> 1;
        assert.deepStrictEqual(reader.event(middle), events[middle - 1]);
        assert.equal(reader.events, events.length);
        assert.equal(reader.complete, true);
        assert.deepEqual(reader.notices, []);
      } finally {
        reader.close();
      }
    }),
    { numRuns: 60 },
  );
});

test('a clean end leaves one file', () => {
  const writer = create('one.hvtrace');
  writer.close();
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('one.')),
    ['one.hvtrace'],
  );
  const reader = open('one.hvtrace');
  reader.close();
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('one.')),
    ['one.hvtrace'],
  );
});

test('a call that returned later is completed, in memory or in the file', () => {
  for (const between of [3, 10_000]) {
    const writer = create('open.hvtrace', { force: true });
    const entry = {
      seq: seqOf(1),
      t: timeNs(10),
      kind: 'ioctl',
      handle: { kind: 'vp', partition: 2n, vp: 0 },
      op: 0x8100b807,
      provenance: 'observed',
      ret: null,
    } as const;
    writer.begin(entry);
    for (let i = 0; i < between; i += 1)
      writer.append({
        seq: seqOf(i + 2),
        t: timeNs(20 + i),
        kind: 'msr',
        dir: 'write',
        msr: 0x40000080,
        value: BigInt(i),
        provenance: 'observed',
        parent: seqOf(1),
      });
    const answer = { ret: 0, tEnd: timeNs(200_000), out: { data: new Uint8Array(256).fill(3, 0, 9) } };
    writer.complete(1 as Seq, answer);
    writer.close();
    const reader = open('open.hvtrace');
    assert.deepStrictEqual(reader.event(1), { ...entry, ...answer });
    assert.equal([...reader.children(1)].length, between);
    assert.equal(reader.counts.kinds.msr?.children, between);
    assert.equal(reader.counts.end, 200_000);
    reader.close();
  }
});
