import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DriverRun, Outcome } from '../machine/child.ts';
import type { Sides } from '../machine/machine.ts';
import type { Handler } from '../machine/sides.ts';
import { UNMODELLED } from '../machine/unmodelled.ts';
import { cell, objectKind } from '../state/schema.ts';
import { type CellId, type CellStore, TOP } from '../state/store.ts';
import type { TraceEvent } from '../trace/event.ts';
import { formatAddress, seqOf, timeNs } from '../trace/position.ts';
import { parseProfile } from '../trace/profile-read.ts';
import { KEPT_DIVERGENCES } from './compare.ts';
import { LiveMachine } from './live.ts';
import { CHECKPOINT_EVENTS, replay, replaySegment, replayTwice, replayWithHistory } from './replay.ts';
import { memorySource } from './source.ts';
import type { Step } from './step.ts';

/**
 * A machine small enough to see through: MSR 1 is a register, MSR 2 faults. A life-cycle start of `mshv` writes
 * 7 to MSR 1 and reads it back; an ioctl waits until MSR 1 holds something other than 0, then reads it once.
 */
const BOX = objectKind('box', undefined, 'none', { value: cell() });
const WAIT = 0xb800;

function valueCell(store: CellStore): CellId {
  const id = store.find(TOP, BOX, 0);
  assert.ok(id !== undefined);
  return (id + BOX.slots.value) as CellId;
}

/** A timer that expires while MSR 3, which nobody knows, is answered. */
const EXPIRED = {
  kind: 'message',
  component: 'hypervisor',
  cpu: 0,
  what: 'interrupt',
  sint: 0,
  vector: 0x50,
} as const;

/** A run that asks nothing. */
function* silent(outcome: Outcome): DriverRun<Outcome> {
  yield* [];
  return outcome;
}

const waiting: Handler = {
  enter: () => silent({ rule: 'test.wait' }),
  ready: ({ store }) => store.get(valueCell(store)) !== 0n,
  *wake({ store }, _event, signal) {
    if (signal) return { ret: -4, rule: 'test.signal' };
    yield { kind: 'msr', cpu: 0, component: 'mshv', dir: 'read', msr: 1 };
    return { ret: Number(store.get(valueCell(store))), rule: 'test.woken' };
  },
};

const starting: Handler = {
  *enter() {
    yield { kind: 'msr', cpu: 0, component: 'mshv', dir: 'write', msr: 1, value: 7n };
    const answer = yield { kind: 'msr', cpu: 0, component: 'mshv', dir: 'read', msr: 1 };
    return { ret: answer.kind === 'msr' && answer.value === 7n ? 0 : -5, rule: 'test.start' };
  },
};

const SIDES: Sides = {
  hypervisor: {
    initialise: ({ store }) => {
      store.create(TOP, BOX, 0);
    },
    msr: ({ store }, { dir, msr, value }) => {
      if (msr === 3) return { kind: 'msr', value: 0n, fault: false, rule: UNMODELLED, emitted: [EXPIRED] };
      if (msr !== 1) return { kind: 'msr', value: 0n, fault: true, rule: 'test.fault' };
      if (dir === 'write') store.set(valueCell(store), value ?? 0n);
      return { kind: 'msr', value: store.get(valueCell(store)), fault: false, rule: 'test.register' };
    },
    hypercall: () => assert.fail('no hypercalls here'),
    intercept: () => assert.fail('no VPs here'),
    note: () => {},
    page: () => {},
  },
  drivers: {
    initialise: () => {},
    handler: (_context, event) => {
      if (event.kind === 'ioctl') return event.op === WAIT ? waiting : undefined;
      return event.kind === 'lifecycle' && event.what === 'component-start' ? starting : undefined;
    },
    called: () => {},
    followed: () => {},
    lost: () => {},
    noted: () => {},
    file: () => undefined,
  },
};

type Draft = Partial<Record<string, unknown>> & { readonly kind: TraceEvent['kind'] };

function trace(...drafts: readonly Draft[]) {
  const read = parseProfile({});
  assert.ok('profile' in read);
  const events = drafts.map(
    (draft, i) =>
      ({ t: timeNs(i * 10), provenance: 'observed', ...draft, seq: seqOf(i + 1) }) as unknown as TraceEvent,
  );
  return memorySource({ profile: read.profile, given: {} }, events);
}

const START: Draft = { kind: 'lifecycle', what: 'component-start', component: 'mshv' };
const msr = (dir: 'read' | 'write', value: bigint, more: object = {}): Draft => ({
  kind: 'msr',
  dir,
  msr: 1,
  cpu: 0,
  component: 'mshv',
  value,
  fault: false,
  ...more,
});
const call = (more: object): Draft => ({
  kind: 'ioctl',
  op: WAIT,
  handle: { kind: 'vp', partition: 1n, vp: 0 },
  ...more,
});

function stepsOf(source: ReturnType<typeof trace>) {
  const steps: Step[] = [];
  const report = replay(source, SIDES, { observe: (step) => steps.push(step) });
  return { report, places: steps.map((s) => formatAddress(s.address)) };
}

test('what is not recorded is derived below its stimulus, its end included', () => {
  const { report, places } = stepsOf(trace(START));
  assert.deepEqual(places, ['1', '1.1', '1.2', '1.3']);
  assert.equal(report.derived, 3);
  assert.deepEqual(report.divergences, []);
});

test('what is recorded is matched, and every answer compared', () => {
  const children = [
    msr('write', 7n, { parent: 1 }),
    msr('read', 7n, { parent: 1 }),
    { ...START, phase: 'end', ret: 0, parent: 1 },
  ];
  const { report, places } = stepsOf(trace(START, ...children));
  assert.deepEqual(places, ['1', '2', '3', '4']);
  assert.equal(report.derived, 0);
  assert.deepEqual(report.divergences, []);
  assert.ok(report.checked >= 8);
});

test('a wrong answer diverges at its position and field, and the driver acts on the recorded one', () => {
  const source = trace(START, msr('write', 7n, { parent: 1 }), msr('read', 9n, { parent: 1 }), {
    ...START,
    phase: 'end',
    ret: -5,
    parent: 1,
  });
  const { divergences } = stepsOf(source).report;
  assert.deepEqual(divergences, [
    { at: '3', field: 'value', expected: '0x7', actual: '0x9', rule: 'test.register' },
  ]);
});

test('a missing child and an extra one are told apart', () => {
  const end = { ...START, phase: 'end', ret: 0, parent: 1 };
  const missing = stepsOf(trace(START, msr('read', 7n, { parent: 1 }), end));
  assert.deepEqual(
    missing.report.divergences.map(({ at, field, actual }) => [at, field, actual]),
    [['2', 'event', 'read of MSR 0x1 by mshv on cpu 0']],
  );
  assert.deepEqual(missing.places, ['1', '1.1', '2', '3']);
  const extra = stepsOf(
    trace(
      START,
      msr('write', 7n, { parent: 1 }),
      { ...msr('read', 0n, { parent: 1 }), msr: 2, fault: true },
      msr('read', 7n, { parent: 1 }),
      end,
    ),
  );
  assert.deepEqual(
    extra.report.divergences.map(({ at, field, expected }) => [at, field, expected]),
    [['3', 'event', 'nothing']],
  );
});

test('an event below one that is over, with all that it causes, is one too many', () => {
  const after = [START, msr('write', 7n, { parent: 1 }), msr('read', 7n, { parent: 1 })];
  const late = trace(...after, { ...START, phase: 'end', ret: 0, parent: 1 }, msr('read', 7n, { parent: 1 }));
  const below = trace(msr('write', 7n), msr('read', 7n, { parent: 1 }));
  for (const source of [late, below]) {
    const { report } = stepsOf(source);
    assert.deepEqual(
      report.divergences.map(({ at, field, expected }) => [at, field, expected]),
      [[String(source.count), 'event', 'nothing']],
    );
    const unknown = {
      ...source,
      header: { ...source.header, profile: { ...source.header.profile, kernel: 'unknown' as const } },
    };
    assert.equal(
      replay(unknown, SIDES).diverged,
      source === late ? 0 : 1,
      'of a kernel that is not known nothing is missing or too much',
    );
  }
});

test('a child that never came is missing where its stimulus stands', () => {
  const { report } = stepsOf(trace(START, msr('write', 7n, { parent: 1 })));
  assert.deepEqual(
    report.divergences.map(({ at, expected, actual }) => [at, expected, actual]),
    [['1', 'read of MSR 0x1 by mshv on cpu 0', 'nothing']],
  );
});

test('a call waits, is woken by what happens, and returns after the last event before its return', () => {
  const wake = msr('write', 3n, { component: 'timer' });
  const { report, places } = stepsOf(trace(call({ ret: 3, tEnd: timeNs(15) }), wake, msr('read', 3n)));
  assert.deepEqual(places, ['1', '2', '1.1', '1r', '3']);
  assert.deepEqual(report.divergences, []);
});

test('what stands below a call and has the time of its return is done before it returns', () => {
  const below = (t: number): Draft => msr('write', 3n, { parent: seqOf(1), t: timeNs(t) });
  const unknown = (...inside: readonly Draft[]) =>
    stepsOf(
      trace(call({ op: 0x1234, ret: 0, tEnd: timeNs(20) }), ...inside, msr('read', 3n, { t: timeNs(20) })),
    );
  assert.deepEqual(unknown(below(10), below(20), below(20)).places, ['1', '2', '3', '4', '1r', '5']);
  assert.deepEqual(unknown(below(10)).places, ['1', '2', '1r', '3']);
});

test('a call that returns although nothing woke it diverges', () => {
  const { report } = stepsOf(trace(call({ ret: 3, tEnd: timeNs(5) }), msr('read', 0n)));
  assert.equal(report.divergences.length, 1);
  assert.equal(report.divergences[0]?.at, '1r');
  assert.equal(report.divergences[0]?.field, 'ret');
});

test('a signal is bound, not checked; a call that never returned stays open', () => {
  const signalled = stepsOf(trace(call({ ret: -4, tEnd: timeNs(5) }), msr('read', 0n)));
  assert.deepEqual(signalled.report.divergences, []);
  assert.equal(signalled.report.bound.signal, 1);
  const open = stepsOf(trace(call({ ret: null }), msr('write', 3n)));
  assert.deepEqual(open.report.divergences, []);
  assert.ok(!open.places.includes('1r'));
});

test('seeking goes by order of effect', () => {
  const source = trace(
    call({ ret: 3, tEnd: timeNs(15) }),
    msr('write', 3n, { component: 'timer' }),
    msr('read', 3n),
  );
  const { history, report } = replayWithHistory(source, SIDES);
  const first = history.checkpoints[0];
  assert.ok(first !== undefined);
  assert.equal(replaySegment(source, SIDES, first, source.count, history.tables), report.hash);
  assert.ok(history.has({ seq: seqOf(1), sub: 1 }));
  assert.equal(history.returnedDuring(1), 3);
});

test('replayed twice, a trace of several stretches comes to one hash; sides that remember anything do not', () => {
  const writes = Array.from({ length: 9000 }, (_, i) => msr('write', BigInt(i)));
  const source = trace(...writes, call({ ret: null }));
  const { report, same } = replayTwice(source, SIDES);
  assert.ok(same);
  assert.deepEqual(report, replay(source, SIDES));
  for (const remembered of [4000, 8000]) {
    let seen = 0;
    const forgetful: Sides = {
      ...SIDES,
      hypervisor: {
        ...SIDES.hypervisor,
        msr: (context, access) => {
          const lies = access.value === BigInt(remembered) && ++seen === 2;
          return SIDES.hypervisor.msr(context, lies ? { ...access, value: 1n } : access);
        },
      },
    };
    assert.equal(replayTwice(source, forgetful).same, false, `the second time at ${remembered}`);
  }
});

test('what a call writes when it goes on is its own, also where a replay begins right before', () => {
  const hasty: Handler = {
    ...waiting,
    *wake({ store }) {
      yield* [];
      store.set(valueCell(store), 9n);
      return { ret: 0, rule: 'test.woken' };
    },
  };
  const sides: Sides = { ...SIDES, drivers: { ...SIDES.drivers, handler: () => hasty } };
  const idle = Array.from({ length: CHECKPOINT_EVENTS - 2 }, () => msr('write', 0n));
  const lastT = 10 * (CHECKPOINT_EVENTS - 1);
  const source = trace(
    call({ ret: 0, tEnd: timeNs(lastT + 5) }),
    ...idle,
    msr('write', 3n, { component: 'timer' }),
    msr('read', 9n),
  );
  const { report, history } = replayWithHistory(source, sides);
  assert.deepEqual(report.divergences, []);
  assert.deepEqual(
    history.checkpoints.map(({ nextSeq }) => nextSeq),
    [1, CHECKPOINT_EVENTS + 1],
  );
  assert.ok(replayTwice(source, sides).same);
});

test('divergences beyond those that are kept are counted', () => {
  const wrong = Array.from({ length: KEPT_DIVERGENCES + 7 }, () => msr('read', 1n));
  const { diverged, divergences, checked } = replay(trace(...wrong), SIDES);
  assert.deepEqual(
    [diverged, divergences.length, checked],
    [KEPT_DIVERGENCES + 7, KEPT_DIVERGENCES, 2 * (KEPT_DIVERGENCES + 7)],
  );
});

test('what a live machine records replays without divergence to the same hash', () => {
  const events: TraceEvent[] = [];
  const { profile } = trace().header;
  const live = new LiveMachine(profile, SIDES, {
    step: ({ event, returned }) => {
      events[event.seq - 1] = returned ? event : (events[event.seq - 1] ?? event);
    },
    journal: () => {},
    checkpoint: () => {},
  });
  const at = (t: number) => ({ t: timeNs(t), provenance: 'emulated' as const });
  const handle = { kind: 'vp', partition: 1n, vp: 0 } as const;
  live.feed({ ...at(0), kind: 'lifecycle', what: 'component-start', component: 'mshv' });
  live.feed({ ...at(1000), kind: 'msr', dir: 'write', msr: 1, cpu: 0, component: 'timer', value: 0n });
  const waits = live.feed({ ...at(2000), kind: 'ioctl', op: WAIT, handle });
  assert.deepEqual(waits.returned, []);
  const interrupted = live.feed({ ...at(2500), kind: 'ioctl', op: WAIT, handle });
  assert.deepEqual(live.interrupt(interrupted.seq, timeNs(2600)), [{ seq: interrupted.seq, ret: -4 }]);
  const woken = live.feed({
    ...at(3000),
    kind: 'msr',
    dir: 'write',
    msr: 1,
    cpu: 0,
    component: 'timer',
    value: 5n,
  });
  assert.deepEqual(woken.returned, [{ seq: waits.seq, ret: 5 }]);
  const hash = live.finish();
  const report = replay(memorySource({ profile, given: {} }, events), SIDES);
  assert.deepEqual(report.divergences, []);
  assert.equal(report.hash, hash);
  assert.ok(report.checked >= 3 * (report.bound.signal ?? 0));
});

test('what else happened while something answered that is not modelled is expected as ever', () => {
  const unknown = msr('read', 0n, { msr: 3 });
  const message = { ...EXPIRED, parent: seqOf(1) };
  const report = replay(trace(unknown, message), SIDES);
  assert.deepEqual([report.divergences, report.derived, report.unmodelled], [[], 0, 1]);
  // What it may have done besides is taken as it stands.
  const more = replay(trace(unknown, message, { ...message, vector: 0x60 }), SIDES);
  assert.deepEqual([more.divergences, more.derived], [[], 0]);
});

test('of a recording that was cut nothing is missing, wherever it was cut', () => {
  const whole = trace(
    { kind: 'lifecycle', what: 'component-start', component: 'mshv' },
    msr('write', 7n, { component: 'mshv', parent: seqOf(1) }),
    msr('read', 7n, { component: 'mshv', parent: seqOf(1) }),
  );
  const events = [...whole.range(1, whole.count)];
  for (let count = 0; count <= events.length; count++) {
    const source = memorySource(whole.header, events.slice(0, count));
    assert.deepEqual(replay({ ...source, cut: true }, SIDES).divergences, []);
  }
  const missing = replay(memorySource(whole.header, events.slice(0, 2)), SIDES).divergences;
  assert.deepEqual(
    missing.map(({ at, field, actual }) => ({ at, field, actual })),
    [{ at: '1', field: 'event', actual: 'nothing' }],
  );
});
