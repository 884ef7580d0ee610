import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import type { Seq } from '../../../engine/trace/position.ts';
import { Emitter } from '../../sources/emitter.ts';
import { KernelBeside, type Source } from './beside.ts';
import type { KernelItem } from './decoder.ts';

const ORIGIN = 1_000_000;

/** A write of an MSR by a thread, so many ns after the start. */
function write(t: number, tid: number, value: bigint, isAside = false): KernelItem {
  const body = { kind: 'msr', dir: 'write', msr: 0x4000_0084, value, fault: false } as const;
  return {
    ...{ kind: 'told', t: ORIGIN + t, cpu: 0, tid, isAside, component: 'mshv' },
    told: { kind: 'event', body },
  };
}

/** A kernel that has said these things by the time that it is asked; those up to `before` are in order. */
function kernel(
  rounds: readonly { readonly items: readonly KernelItem[]; readonly before: number }[],
): Source {
  const left = [...rounds];
  return {
    lacks: ['kernel probes'],
    start: () => {},
    drainTo: () => {
      const { items = [], before = 0 } = left.shift() ?? {};
      return { items: [...items], before: ORIGIN + before };
    },
    stop: () => left.flatMap(({ items }) => [...items]),
    overrun: () => 3,
  };
}

type Seen = { readonly begin: number; readonly tid: number } | { readonly end: number };

/** Kernel events and calls, merged: what stands in the trace. */
function merged(source: Source, seen: readonly (Seen & { readonly t: number })[]) {
  const events: TraceEvent[] = [];
  const emitter = new Emitter({
    append: (event) => events.push(event),
    begin: (event) => events.push(event),
    complete: (seq, answer) => {
      events[seq - 1] = { ...events[seq - 1], ...answer } as TraceEvent;
    },
  });
  const open = new Map<number, { readonly seq: Seq; readonly tid: number }>();
  const beside = new KernelBeside<Seen & { readonly t: number }>(source, emitter, ORIGIN, (one) => {
    if ('begin' in one) {
      const { tid, t } = one;
      const call = { kind: 'ioctl', handle: { kind: 'foreign', fd: 3 }, op: 0xb801, tid, ret: null } as const;
      const seq = emitter.begin(call, t);
      open.set(one.begin, { seq, tid });
      beside.calls.set(tid, seq);
    } else {
      const call = open.get(one.end);
      assert.ok(call !== undefined);
      emitter.answer(call.seq, { ret: 0 }, one.t);
      beside.calls.delete(call.tid);
    }
  });
  beside.start();
  for (const one of seen) beside.hold(one.t, one);
  beside.advance();
  const early = events.length;
  const recorded = beside.finish();
  const rows = events.map((event) => [
    event.kind === 'msr' ? Number(event.value) : event.kind,
    event.t as number,
    event.parent as number | undefined,
  ]);
  return { rows, early, recorded };
}

test('what a thread does between entry and return of its call stands below it; interrupts, other threads and what is before or behind do not', () => {
  const items = [
    write(5, 7, 1n),
    write(11, 7, 2n),
    write(12, 8, 3n),
    write(13, 7, 4n, true),
    write(19, 7, 5n),
    write(21, 7, 6n),
  ];
  const { rows, recorded } = merged(kernel([{ items, before: 100 }]), [
    { begin: 1, tid: 7, t: 10 },
    { end: 1, t: 20 },
  ]);
  assert.deepEqual(rows, [
    ['mark', 0, undefined],
    [1, 5, undefined],
    ['ioctl', 10, undefined],
    [2, 11, 3],
    [3, 12, undefined],
    [4, 13, undefined],
    [5, 19, 3],
    [6, 21, undefined],
  ]);
  assert.deepEqual([recorded.events, recorded.overrun, recorded.lacks], [6, 3, ['kernel probes']]);
});

test('calls wait until the buffers of all CPUs are read up to their time', () => {
  const rounds = [
    { items: [write(4, 7, 1n)], before: 15 },
    { items: [write(16, 7, 2n), write(30, 7, 3n)], before: 100 },
  ];
  const { rows, early } = merged(kernel(rounds), [
    { begin: 1, tid: 7, t: 10 },
    { begin: 2, tid: 9, t: 17 },
    { end: 2, t: 18 },
    { end: 1, t: 20 },
  ]);
  // The note, the first write, and the call that is older than what is certain.
  assert.equal(early, 3);
  assert.deepEqual(
    rows.map(([what, , parent]) => [what, parent]),
    [
      ['mark', undefined],
      [1, undefined],
      ['ioctl', undefined],
      [2, 3],
      ['ioctl', undefined],
      [3, undefined],
    ],
  );
});
