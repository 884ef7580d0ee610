import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { traces } from '../../engine/trace/events.testing.ts';
import { at, seqOf, timeNs } from '../../engine/trace/position.ts';
import { good } from '../store/good.testing.ts';
import { headerOf } from '../store/header.testing.ts';
import { isProblem, TraceFileError, TraceWriter } from '../store/index.ts';
import { scratch } from '../store/scratch.testing.ts';
import { openAny } from './open.ts';
import { pack } from './pack.ts';
import { decodeIndex, encodeIndex, indexBytes } from './packed-index.ts';
import { unpack } from './unpack.ts';

const folder = scratch();
const path = (name: string): string => join(folder, name);

/** A trace of `count` events over several chunks. */
function makeTrace(name: string, count: number): void {
  const header = {
    ...headerOf({ cpus: 4 }),
    expect: { findings: [{ rule: 'R01', component: 'mshv', at: at(3) }] },
  };
  const writer = good(
    TraceWriter.create(path(name), header, {
      force: true,
      engine: '7',
      tool: '0.1.0',
      start: '2026-01-02T03:04:05.000Z',
      capture: { how: 'test' },
    }),
  );
  for (let i = 1; i <= count; i += 1)
    writer.append({
      seq: seqOf(i),
      t: timeNs(i * 10),
      kind: 'msr',
      dir: 'write',
      msr: 0x40000080,
      value: BigInt(i),
      provenance: 'authored',
    });
  writer.note({ at: at(5, 2), text: 'look', author: 'me' });
  writer.gap({ after: seqOf(7), t: timeNs(71), reason: 'ring full', lost: 3 });
  writer.hash('0123456789abcdef');
  writer.close();
}

test('packing and unpacking keep every event and what stands beside them', () => {
  makeTrace('a.hvtrace', 10_000);
  const from = good(openAny(path('a.hvtrace')));
  const packed = good(pack(from, path('a.hvtrace.zst'), { force: false }));
  assert.equal(packed.events, 10_000);
  assert.equal(packed.bytes, statSync(path('a.hvtrace.zst')).size);
  const middle = good(openAny(path('a.hvtrace.zst')));
  assert.equal(good(unpack(middle, path('b.hvtrace'), { force: false })), 10_000);
  const back = good(openAny(path('b.hvtrace')));
  for (const trace of [middle, back]) {
    assert.deepEqual(trace.header, from.header);
    assert.deepEqual(trace.counts, from.counts);
    assert.deepEqual(
      [trace.engine, trace.tool, trace.start, trace.capture, trace.hash, trace.complete],
      [from.engine, from.tool, from.start, from.capture, from.hash, from.complete],
    );
    assert.deepEqual(trace.notes(), from.notes());
    assert.deepEqual(trace.gaps(), from.gaps());
    assert.deepEqual([...trace.range()], [...from.range()]);
    assert.deepEqual([...trace.range(4090, 8200)], [...from.range(4090, 8200)]);
    assert.deepEqual([...trace.range(9999, 20_000)], [...from.range(9999, 10_000)]);
    assert.deepEqual(trace.event(8193), from.event(8193));
    assert.equal(trace.event(0), undefined);
    assert.equal(trace.event(10_001), undefined);
    trace.close();
  }
  from.close();
});

test('any trace survives packing', () => {
  fc.assert(
    fc.property(traces(40), (events) => {
      const writer = good(TraceWriter.create(path('p.hvtrace'), headerOf(), { force: true }));
      for (const event of events) writer.append(event);
      writer.close();
      const from = good(openAny(path('p.hvtrace')));
      good(pack(from, path('p.hvtrace.zst'), { force: true }));
      from.close();
      const packed = good(openAny(path('p.hvtrace.zst')));
      assert.deepStrictEqual([...packed.range()], events);
      packed.close();
    }),
    { numRuns: 40 },
  );
});

test('an existing file is kept, a folder that is not there named', () => {
  makeTrace('c.hvtrace', 3);
  const trace = good(openAny(path('c.hvtrace')));
  writeFileSync(path('kept.zst'), 'kept');
  const kept = pack(trace, path('kept.zst'), { force: false });
  assert.ok(isProblem(kept) && kept.code === 'exists', JSON.stringify(kept));
  assert.equal(readFileSync(path('kept.zst'), 'utf8'), 'kept');
  const nowhere = pack(trace, path('nowhere/x.zst'), { force: false });
  assert.ok(isProblem(nowhere) && /folder does not exist/.test(nowhere.text), JSON.stringify(nowhere));
  trace.close();
});

/** Opens and reads all of it; the one line of what is wrong, undefined where nothing is. */
function readAll(name: string): string | undefined {
  const opened = openAny(path(name));
  if (isProblem(opened)) return opened.text;
  try {
    for (const _ of opened.range());
    return undefined;
  } catch (error) {
    if (!(error instanceof TraceFileError)) throw error;
    return error.message;
  } finally {
    opened.close();
  }
}

test('a packed trace that is cut or changed is told in one line, never a crash', () => {
  makeTrace('d.hvtrace', 5000);
  const trace = good(openAny(path('d.hvtrace')));
  good(pack(trace, path('d.zst'), { force: true }));
  trace.close();
  const whole = readFileSync(path('d.zst'));
  assert.equal(readAll('d.zst'), undefined);
  for (const length of [4, 5, 40, whole.length >> 1, whole.length - 9, whole.length - 1]) {
    writeFileSync(path('cut.zst'), whole);
    truncateSync(path('cut.zst'), length);
    const text = readAll('cut.zst');
    assert.ok(text !== undefined && !text.includes('\n'), `${length} bytes: ${text}`);
  }
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (where, by) => {
      const changed = Buffer.from(whole);
      changed[where] = (changed[where] as number) ^ by;
      writeFileSync(path('changed.zst'), changed);
      const text = readAll('changed.zst');
      assert.ok(text === undefined || !text.includes('\n'));
    }),
    { numRuns: 300 },
  );
});

test('a part that would unpack to more than it declares is refused', () => {
  makeTrace('e.hvtrace', 5000);
  const trace = good(openAny(path('e.hvtrace')));
  good(pack(trace, path('e.zst'), { force: true }));
  trace.close();
  const whole = readFileSync(path('e.zst'));
  const length = indexBytes(whole.subarray(-8)) as number;
  const frames = decodeIndex(whole.subarray(-length)) ?? [];
  const header = frames[0];
  assert.ok(header !== undefined);
  const bomb = zstdCompressSync(Buffer.alloc(256 * 1024 * 1024));
  for (const size of [4096, 0xffff_ffff]) {
    const index = encodeIndex([header, { packed: bomb.length, size, events: 5000 }]);
    writeFileSync(path('bomb.zst'), Buffer.concat([whole.subarray(0, header.packed), bomb, index]));
    const before = process.memoryUsage().rss;
    assert.match(readAll('bomb.zst') ?? '', size === 4096 ? /cannot be unpacked/ : /would unpack to/);
    assert.ok(process.memoryUsage().rss - before < 100e6);
  }
});
