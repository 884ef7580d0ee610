import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readCaptureFilter } from '../../engine/filter/capture.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';
import { headerOf } from '../store/header.testing.ts';
import type { CallAnswer } from '../store/index.ts';
import { FilteredSink, midLife } from './filtered.ts';

const { profile } = headerOf();

/** A filtered sink with a clock of the test's own, and what came out of it, completed. */
function filtered(text: string) {
  const filter = readCaptureFilter(text, profile);
  if ('problem' in filter) throw new Error(filter.problem);
  const out: TraceEvent[] = [];
  const clock = { ms: 0 };
  const put = (event: TraceEvent): void => {
    assert.equal(event.seq, out.length + 1);
    assert.ok(event.t >= (out.at(-1)?.t ?? 0));
    out.push(event);
  };
  const target = {
    append: put,
    begin: put,
    complete(seq: number, answer: CallAnswer) {
      out[seq - 1] = { ...out[seq - 1], ...answer } as TraceEvent;
    },
  };
  return { sink: new FilteredSink(target, filter, () => clock.ms), out, clock };
}

const common = (seq: number) =>
  ({ seq: seqOf(seq), t: timeNs(seq * 10), component: 'mshv', provenance: 'emulated' }) as const;

function ioctl(seq: number, op = 0xb801): TraceEvent {
  return {
    ...common(seq),
    kind: 'ioctl',
    handle: { kind: 'device', open: 1 },
    op,
    pid: 1,
    tid: 1,
    ret: null,
  };
}

function hypercall(seq: number, parent?: number): TraceEvent {
  const control = 0x4en;
  const above = parent === undefined ? {} : { parent: seqOf(parent) };
  return { ...common(seq), ...above, kind: 'hypercall', control, input: new Uint8Array(0) };
}

/** Kind and number of each, with the parent or the lost ones. */
function shape(events: readonly TraceEvent[]): readonly string[] {
  return events.map((event) => {
    if (event.kind === 'mark') return `${event.what}${event.lost === undefined ? '' : ` ${event.lost}`}`;
    return `${event.kind} at ${event.t}${event.parent === undefined ? '' : ` below ${event.parent}`}`;
  });
}

describe('a filtered recording', () => {
  test('numbers anew, tells what is missing, and drops the relation to a parent that is not there', () => {
    const { sink, out } = filtered('kind == hypercall');
    sink.append(hypercall(1));
    sink.begin(ioctl(2));
    sink.append(hypercall(3, 2));
    sink.append(hypercall(4, 2));
    sink.complete(seqOf(2), { ret: 0 });
    sink.end();
    assert.deepEqual(shape(out), ['note', 'hypercall at 10', 'gap 1', 'hypercall at 30', 'hypercall at 40']);
    assert.equal(sink.dropped, 1);
  });

  test('keeps the relation to a parent that is there', () => {
    const { sink, out } = filtered('kind in {ioctl, hypercall}');
    sink.begin(ioctl(1));
    sink.append(hypercall(2, 1));
    sink.append(hypercall(3, 2));
    sink.complete(seqOf(1), { ret: 0 });
    sink.end();
    assert.deepEqual(shape(out), [
      'note',
      'ioctl at 10',
      'hypercall at 20 below 2',
      'hypercall at 30 below 3',
    ]);
    assert.equal(sink.dropped, 0);
  });

  test('a question about the answer waits for it, in order', () => {
    const { sink, out } = filtered('ret < 0 || kind == hypercall');
    sink.begin(ioctl(1));
    sink.append(hypercall(2));
    assert.equal(out.length, 1);
    assert.equal(sink.dueMs, 100);
    sink.complete(seqOf(1), { ret: -22 });
    assert.deepEqual(shape(out), ['note', 'ioctl at 10', 'hypercall at 20']);
    sink.begin(ioctl(3));
    sink.complete(seqOf(3), { ret: 0 });
    sink.end();
    assert.deepEqual(shape(out).slice(3), ['gap 1']);
  });

  test('but not for long: then the call is kept, and gets its answer in its place', () => {
    const { sink, out, clock } = filtered('ret < 0');
    sink.begin(ioctl(1));
    clock.ms = 99;
    sink.tick();
    assert.equal(out.length, 1);
    clock.ms = 100;
    sink.tick();
    assert.deepEqual(shape(out), ['note', 'ioctl at 10']);
    sink.append(hypercall(2));
    sink.complete(seqOf(1), { ret: -4 });
    sink.end();
    assert.equal((out[1] as { ret?: unknown }).ret, -4);
    assert.deepEqual(shape(out), ['note', 'ioctl at 10', 'gap 1']);
  });

  test('what came at entry is judged at entry: an answer to a call that was left out goes nowhere', () => {
    const { sink, out } = filtered('kind == hypercall');
    sink.begin(ioctl(1));
    assert.equal(sink.dueMs, undefined);
    sink.complete(seqOf(1), { ret: 0 });
    sink.end();
    assert.deepEqual(shape(out), ['note', 'gap 1']);
  });

  test('a call that waits does not hold more than 4096 events', () => {
    const { sink, out } = filtered('ret < 0 || kind == hypercall');
    sink.begin(ioctl(1));
    for (let seq = 2; seq <= 5000; seq++) sink.append(hypercall(seq));
    assert.equal(out.length, 5001);
  });
});

test('filters that speak of a finished trace are refused', () => {
  for (const text of ['seq > 4', 'under(3)', 'changes(cpu[0].synic)', 'kind == msr && !(rule == "x")']) {
    const read = readCaptureFilter(text, profile);
    assert.ok('problem' in read && /finished trace/.test(read.problem), text);
  }
  const wrong = readCaptureFilter('kind == mrs', profile);
  assert.ok('problem' in wrong && /column 9/.test(wrong.problem));
});

test('such a trace says that it began mid-life', () => {
  const header = midLife(headerOf({ kernel: 'rfc2020' }));
  assert.equal(header.profile.initial, 'unknown');
  assert.deepEqual(header.given, { kernel: 'rfc2020', initial: 'unknown' });
});
