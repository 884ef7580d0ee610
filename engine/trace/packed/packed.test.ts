import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { TraceEvent } from '../event.ts';
import { anyEvents } from '../events.testing.ts';
import { Malformed } from './bytes.ts';
import { decodeChunk, encodeChunk } from './chunk.ts';
import { decodePackedEvents, encodePackedEvents, type PackedItem, packTrace, Unpacker } from './stream.ts';

const HEADER = { header: '{"profile":{}}', events: 0, extra: { engine: '1', 'né\ud800': '' } };

function joined(parts: Iterable<Uint8Array>): Uint8Array {
  return new Uint8Array(Buffer.concat([...parts]));
}

function unpack(bytes: Uint8Array, step = bytes.length): { items: PackedItem[]; end: string | undefined } {
  const unpacker = new Unpacker();
  const items: PackedItem[] = [];
  for (let at = 0; at < bytes.length; at += step) items.push(...unpacker.push(bytes.subarray(at, at + step)));
  return { items, end: unpacker.end()?.problem };
}

test('every event comes back from a chunk', () => {
  fc.assert(
    fc.property(
      anyEvents.filter((events) => events.length > 0),
      (events) => {
        assert.deepEqual(decodePackedEvents(encodePackedEvents(events)), events);
      },
    ),
    { numRuns: 400 },
  );
});

test('packing what was unpacked gives the same bytes', () => {
  fc.assert(
    fc.property(
      anyEvents.filter((events) => events.length > 0),
      (events) => {
        const bytes = encodeChunk(events);
        assert.deepEqual(encodeChunk(decodeChunk(bytes)), bytes);
      },
    ),
  );
});

test('a stream arrives in pieces of any size', () => {
  fc.assert(
    fc.property(anyEvents, fc.integer({ min: 1, max: 300 }), (events, step) => {
      const header = { ...HEADER, events: events.length };
      const { items, end } = unpack(joined(packTrace(header, events)), step);
      assert.deepEqual(items[0], { header });
      assert.deepEqual(
        items.slice(1).flatMap((item) => ('events' in item ? item.events : [])),
        events,
      );
      assert.equal(end, undefined);
    }),
  );
});

/** A mix as the drivers make it: SynIC accesses, hypercalls with their buffers, times that jitter. */
function mix(count: number): TraceEvent[] {
  let random = 12345;
  const next = (below: number): number => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  const events: object[] = [];
  let t = 0;
  for (let seq = 1; seq <= count; seq += 1) {
    t += 200 + next(20_000);
    const base = {
      seq,
      t,
      cpu: next(8),
      component: next(2) === 0 ? 'vmbus' : 'mshv',
      provenance: 'observed',
    };
    if (next(2) === 0) {
      const value = 1n | (BigInt(0x1234 + next(64)) << 12n);
      const msr = 0x4000_0080 + next(24);
      events.push({ ...base, kind: 'msr', dir: next(2) === 0 ? 'read' : 'write', msr, value, fault: false });
      continue;
    }
    const input = new Uint8Array(16);
    const view = new DataView(input.buffer);
    view.setUint32(0, 2 + next(4), true);
    view.setUint32(8, next(16), true);
    events.push({
      ...base,
      kind: 'hypercall',
      control: 0x50n | (BigInt(1 + next(3)) << 32n),
      input,
      inputGpa: 0x1_0000_0000n + BigInt(base.cpu * 4096),
      result: { status: next(50) === 0 ? 5 : 0, reps: 1 },
      fault: false,
      tEnd: t + 900 + next(2000),
    });
  }
  return events as TraceEvent[];
}

test('an MSR and hypercall mix packs to 24 bytes an event or less', (context) => {
  const events = mix(20_000);
  const started = performance.now();
  const packed = joined(packTrace({ ...HEADER, events: events.length }, events));
  const packedMs = performance.now() - started;
  const compressed = zstdCompressSync(packed).length;
  const began = performance.now();
  const { items, end } = unpack(packed, 65_536);
  const unpackedMs = performance.now() - began;
  assert.equal(end, undefined);
  assert.deepEqual(
    items.flatMap((item) => ('events' in item ? item.events : [])),
    events,
  );
  context.diagnostic(
    `${(packed.length / events.length).toFixed(1)} B an event, ${(compressed / events.length).toFixed(1)} under zstd; ` +
      `packed at ${Math.round(events.length / packedMs)}k/s, unpacked at ${Math.round(events.length / unpackedMs)}k/s`,
  );
  assert.ok(packed.length / events.length <= 24, `${packed.length / events.length}`);
});

test('chunks are cut by number and by size, and each decodes alone', () => {
  const events = mix(9000);
  const frames = [...packTrace({ ...HEADER, events: 9000 }, events)].slice(1);
  assert.deepEqual(
    frames.map((frame) => {
      const chunk = decodePackedEvents(frame);
      assert.ok(!('problem' in chunk));
      return [chunk[0]?.seq, chunk.length];
    }),
    [
      [1, 4096],
      [4097, 4096],
      [8193, 808],
    ],
  );
  const large = mix(20).map(
    (event) =>
      ({
        ...event,
        kind: 'ioctl',
        handle: { kind: 'device', open: 1 },
        op: 1,
        in: new Uint8Array(2 ** 20).fill(event.seq),
      }) as TraceEvent,
  );
  assert.equal([...packTrace({ ...HEADER, events: 20 }, large)].length, 1 + 3);
});

/** Changes, cuts or lengthens bytes. */
const damage = fc.tuple(
  fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  fc.option(fc.nat(), { nil: undefined }),
  fc.uint8Array({ maxLength: 4 }),
);

function damaged(
  bytes: Uint8Array,
  [changes, cut, more]: readonly [[number, number][], number | undefined, Uint8Array],
): Uint8Array {
  const copy = joined([bytes, more]);
  for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value;
  return cut === undefined ? copy : copy.subarray(0, cut % (copy.length + 1));
}

test('damaged chunks give events or a problem, and nothing is allocated that the bytes do not hold', () => {
  fc.assert(
    fc.property(
      anyEvents.filter((events) => events.length > 0),
      damage,
      (events, harm) => {
        const bytes = damaged(encodeChunk(events), harm);
        try {
          const decoded = decodeChunk(bytes);
          assert.ok(decoded.length <= bytes.length);
          // What is accepted is a trace: it packs again.
          assert.deepEqual(decodeChunk(encodeChunk(decoded)), decoded);
        } catch (error) {
          assert.ok(error instanceof Malformed, String(error));
        }
      },
    ),
    { numRuns: 700 },
  );
});

test('noise is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 64 }), (noise, step) => {
      const { items, end } = unpack(noise, step);
      assert.ok(items.every((item) => 'problem' in item));
      assert.ok(items.length === 1 || end !== undefined);
      assert.ok('problem' in decodePackedEvents(noise));
    }),
    { numRuns: 1000 },
  );
});

test('damage to a stream is a problem: no event is lost or changed in silence', () => {
  const events = mix(300);
  const good = joined(packTrace({ ...HEADER, events: 300 }, events));
  fc.assert(
    fc.property(damage, fc.integer({ min: 1, max: 5000 }), (harm, step) => {
      const bytes = damaged(good, harm);
      if (Buffer.compare(bytes, good) === 0) return;
      const { items, end } = unpack(bytes, step);
      assert.ok(end !== undefined || items.some((item) => 'problem' in item));
    }),
    { numRuns: 300 },
  );
});

test('a stream says what is wrong with it', () => {
  const events = mix(5000);
  const frames = [...packTrace({ ...HEADER, events: 5000 }, events)];
  const [header, first, second] = frames as [Uint8Array, Uint8Array, Uint8Array];
  const problemOf = (parts: Uint8Array[]): string | undefined => {
    const { items, end } = unpack(joined(parts));
    const problem = items.find((item) => 'problem' in item);
    return problem !== undefined && 'problem' in problem ? problem.problem : end;
  };
  assert.equal(problemOf([header, first, second]), undefined);
  assert.match(problemOf([]) ?? '', /not a packed trace/);
  assert.match(problemOf([first]) ?? '', /not a packed trace/);
  assert.match(problemOf([header, second]) ?? '', /do not follow/);
  assert.match(problemOf([header, first, first]) ?? '', /do not follow/);
  assert.match(problemOf([header, first]) ?? '', /ends after event 4096 of 5000/);
  assert.match(
    problemOf([header, first, second.subarray(0, 50)]) ?? '',
    /ends inside a chunk, after event 4096/,
  );
  assert.match(
    problemOf([header, first, second, encodePackedEvents(mix(5001).slice(5000))]) ?? '',
    /more events/,
  );
});
