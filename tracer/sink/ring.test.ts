import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SIDES } from '../../engine/drivers/scenario.testing.ts';
import { Machine } from '../../engine/machine/machine.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import { headerOf } from '../store/header.testing.ts';
import { isProblem, openTrace, TraceWriter } from '../store/index.ts';
import { scratch } from '../store/scratch.testing.ts';
import { Ring } from './ring.ts';
import { readRingLimit, stretchOf } from './ring-limit.ts';

const folder = scratch();

test('sizes', () => {
  assert.deepEqual(readRingLimit('200000'), { kind: 'events', most: 200_000 });
  assert.deepEqual(readRingLimit('64MB'), { kind: 'bytes', most: 64_000_000 });
  assert.deepEqual(readRingLimit('30s'), { kind: 'ns', most: 30_000_000_000 });
  for (const text of ['', '0', '-1', '1.5s', '30 s', '64XB', '9999999999', 'MB'])
    assert.equal(readRingLimit(text), undefined, text);
  assert.deepEqual(
    [stretchOf({ kind: 'events', most: 100 }), stretchOf({ kind: 'bytes', most: 1 })],
    [64, 1024],
  );
});

const machine = Machine.initial(headerOf().profile, SIDES);
/** The state of a machine that nothing happens to. */
const state = (nextSeq: number) => ({ nextSeq, store: machine.store.checkpoint(), open: [] });

const event = (seq: number, parent?: number): TraceEvent => ({
  ...({ kind: 'msr', dir: 'write', msr: 0x40000090, value: BigInt(seq), fault: false } as const),
  ...({ seq: seqOf(seq), t: timeNs(seq * 1000), cpu: 0, component: 'mshv', provenance: 'emulated' } as const),
  ...(parent === undefined ? {} : { parent: seqOf(parent) }),
});

/** What a ring writes: the numbers that its events had. */
function kept(ring: Ring): { readonly first: number; readonly count: number; readonly lost: number } {
  const path = join(folder, 'ring.hvtrace');
  const writer = TraceWriter.create(path, headerOf(), { force: true });
  if (isProblem(writer)) assert.fail(writer.text);
  ring.writeTo(writer);
  writer.close();
  const reader = openTrace(path);
  if (isProblem(reader)) assert.fail(reader.text);
  const events = [...reader.range()];
  const first = (events[0]?.t ?? 0) / 1000;
  events.forEach((own, i) => {
    assert.equal(own.t, (first + i) * 1000);
  });
  const lost = reader.gaps()[0]?.lost ?? 0;
  reader.close();
  return { first, count: events.length, lost };
}

describe('a ring', () => {
  for (const [text, most] of [
    ['800', 800],
    ['800ms', 800_000],
    ['320kB', 800],
  ] as const) {
    test(`of ${text} keeps at least that, and at most an eighth and a stretch more`, () => {
      const limit = readRingLimit(text);
      assert.ok(limit !== undefined);
      const ring = new Ring(limit);
      // As times are a microsecond apart, 800 ms are more than there is: then nothing goes.
      for (let seq = 1; seq <= 5000; seq++) {
        if (seq % 50 === 0) ring.rest(state(seq), machine.store.tables);
        ring.append(event(seq));
      }
      const { first, count, lost } = kept(ring);
      assert.equal(first + count - 1, 5000);
      assert.equal(lost, first - 1);
      assert.equal(ring.gone, lost);
      if (most > 5000) assert.equal(count, 5000);
      else assert.ok(count >= most && count <= most + most / 8 + 50, `${count} events`);
    });
  }

  test('without a rest keeps everything, up to a million events', () => {
    const ring = new Ring({ kind: 'events', most: 10 });
    for (let seq = 1; seq <= 3000; seq++) ring.append(event(seq));
    assert.deepEqual(kept(ring), { first: 1, count: 3000, lost: 0 });
  });

  test('does not take the state while a call is under way that is no wait for a guest', () => {
    const ring = new Ring({ kind: 'events', most: 10 });
    const open: TraceEvent = {
      ...({
        kind: 'ioctl',
        handle: { kind: 'device', open: 1 },
        op: 0xb801,
        pid: 1,
        tid: 1,
        ret: null,
      } as const),
      ...({ seq: seqOf(1), t: timeNs(1000), component: 'vmm', provenance: 'emulated' } as const),
    };
    ring.begin(open);
    for (let seq = 2; seq <= 100; seq++) ring.append(event(seq));
    ring.rest({ ...state(101), open: [{ seq: seqOf(1), sub: 0, waits: true }] }, machine.store.tables);
    for (let seq = 101; seq <= 200; seq++) ring.append(event(seq));
    assert.equal(ring.gone, 0);
    ring.complete(seqOf(1), { ret: 0 });
    assert.equal(ring.isUnderWay, false);
    ring.rest(state(201), machine.store.tables);
    for (let seq = 201; seq <= 300; seq++) ring.append(event(seq));
    assert.equal(ring.gone, 200);
  });
});
