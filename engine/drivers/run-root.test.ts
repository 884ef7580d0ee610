import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hypercalls, messageTypes } from '../abi/index.ts';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import type { HypercallEvent, TraceEvent } from '../trace/event.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import { readProfile } from '../trace/profile-read.ts';
import type { Bench } from './bench.testing.ts';
import { hypercallsOf, PARTITION, ROOT, request, u32, VP } from './guest.testing.ts';
import { GPA_INTERCEPT, giveMemory, HALT, RUN, run, VP_REF, wake, withVp } from './run.testing.ts';
import { played, SIDES } from './scenario.testing.ts';

const BITSET = messageTypes.number('HVMSG_SCHEDULER_VP_SIGNAL_BITSET');
const PAIR = messageTypes.number('HVMSG_SCHEDULER_VP_SIGNAL_PAIR');
const SIGNAL = [
  '0 hypervisor message deliver sint 0',
  '0 hypervisor message interrupt sint 0',
  '0 mshv message clear sint 0',
];
const OWN = 'driver.mshv.partition[2].vp[0]';

/** The root partition schedules. */
const fresh = () => withVp({ scheduler: 'root' });

/** The output of a dispatch. */
function endOf(state: number, event: number): Uint8Array {
  const output = new Uint8Array(8);
  new DataView(output.buffer).setUint32(0, state, true);
  new DataView(output.buffer).setUint32(4, event, true);
  return output;
}

/** A scheduler message in the slot of intercepts, read when the next VP stops. */
function signal(bench: Bench, type: number, payload: Uint8Array): void {
  const slot = new Uint8Array(256);
  new DataView(slot.buffer).setUint32(0, type, true);
  slot[4] = payload.length;
  slot.set(payload, 16);
  const at = { seq: seqOf(99), t: timeNs(0), provenance: 'observed' } as const;
  bench.machine.note({ ...at, kind: 'message', cpu: 0, sint: 0, what: 'deliver', slot });
  bench.intercept({ vp: { partition: 9n, vp: 0 }, type: HALT });
}

describe('MSHV_RUN_VP where the root partition schedules', () => {
  it('lets a fresh VP go, has the signal and dispatches it again', () => {
    const bench = fresh();
    const { lines, outcome } = run(bench);
    assert.deepEqual(hypercallsOf(lines), [
      'DISPATCH_VP SUCCESS',
      'SET_VP_REGISTERS SUCCESS 1',
      ...SIGNAL,
      'DISPATCH_VP SUCCESS',
    ]);
    assert.deepEqual(outcome, { rule: 'Linux.mshv.run-vp-root' });
    assert.equal(bench.cell(`${OWN}.scheduler.signals`), bench.cell('partition[2].vp[0].signals'));
    assert.equal(wake(bench), undefined);
  });

  it('a stop is told by the dispatch that ends with it, and by no message', () => {
    const bench = fresh();
    run(bench);
    assert.deepEqual(bench.intercept({ vp: VP_REF, type: HALT, payload: new Uint8Array(40) }), []);
    const woken = wake(bench);
    assert.deepEqual(hypercallsOf(woken?.lines ?? []), ['DISPATCH_VP SUCCESS']);
    assert.equal(woken?.outcome.ret, 0);
    assert.equal(bench.cell(`${OWN}.scheduler.intercept`), 1n);
    assert.deepEqual(hypercallsOf(run(bench).lines), ['DISPATCH_VP SUCCESS']);
    assert.equal(bench.cell(`${OWN}.scheduler.intercept`), 0n);
    assert.equal(bench.cell('partition[2].vp[0].suspend.intercept'), 0n);
  });

  it('a touch of memory that is there is mapped, and the VP dispatched again', () => {
    const bench = fresh();
    giveMemory(bench);
    run(bench);
    bench.intercept({ vp: VP_REF, type: GPA_INTERCEPT, payload: new Uint8Array(80) });
    const woken = wake(bench);
    assert.deepEqual(hypercallsOf(woken?.lines ?? []), [
      'DISPATCH_VP SUCCESS',
      'MAP_GPA_PAGES SUCCESS 509',
      'MAP_GPA_PAGES SUCCESS 3',
      'DISPATCH_VP SUCCESS',
    ]);
    assert.equal(woken?.outcome.ret, undefined);
  });

  it('a signal ends the dispatch: EINTR and no hypercall, unless the VP has stopped', () => {
    const bench = fresh();
    run(bench);
    assert.deepEqual(wake(bench, true), { lines: [], outcome: { ret: -4, rule: 'Linux.mshv.run-vp-root' } });
    run(bench);
    bench.intercept({ vp: VP_REF, type: HALT, payload: new Uint8Array(40) });
    assert.equal(wake(bench, true)?.outcome.ret, 0);
  });

  /** A VP that runs, and a call whose dispatch is recorded as BLOCKED without an event. */
  function blocked(): Bench {
    const bench = fresh();
    run(bench);
    wake(bench, true);
    const code = hypercalls.number('DISPATCH_VP');
    const call = {
      kind: 'ioctl',
      handle: VP,
      op: RUN,
      seq: seqOf(50),
      t: timeNs(0),
      provenance: 'observed',
    } as const;
    const handler = bench.machine.handler(call);
    const entered = handler?.enter(bench.machine, call);
    if (entered === undefined || 'rule' in entered) throw new Error('nothing was dispatched');
    const { value } = entered.next({ kind: 'none' });
    assert.ok('kind' in value && value.kind === 'hypercall' && Number(value.control & 0xffffn) === code);
    const shown: HypercallEvent = {
      ...{ ...value, seq: seqOf(51), t: timeNs(0), provenance: 'observed' },
      result: { status: 0, reps: 0 },
      output: endOf(1, 0),
    };
    const done = entered.next(bench.machine.hypercall(shown));
    assert.deepEqual(done, { done: true, value: { rule: 'Linux.mshv.run-vp-root' } });
    return bench;
  }

  it('a VP that is blocked stays so over a signal, until an interrupt for it makes the hypervisor tell', () => {
    const bench = blocked();
    assert.equal(bench.cell('partition[2].vp[0].blocked'), 2n);
    assert.equal(wake(bench), undefined);
    assert.equal(wake(bench, true)?.outcome.ret, -4);
    assert.equal(bench.cell(`${OWN}.scheduler.blocked`), 1n);
    assert.deepEqual(run(bench).lines, []);
    const input = new Uint8Array(32);
    input[24] = 0x40;
    const assertion = new Uint8Array(32);
    const view = new DataView(assertion.buffer);
    view.setUint16(0, 0x94, true);
    view.setUint16(4, 32, true);
    view.setBigUint64(16, 0x1000n, true);
    const op = request('partition', 'MSHV_ROOT_HVCALL');
    const called = bench.ioctl({ handle: PARTITION, op, arg: assertion, in: input, pid: 8 });
    assert.deepEqual(hypercallsOf(called.lines), ['ASSERT_VIRTUAL_INTERRUPT SUCCESS', ...SIGNAL]);
    assert.equal(bench.cell('partition[2].vp[0].blocked'), 0n);
    assert.deepEqual(hypercallsOf(wake(bench)?.lines ?? []), ['DISPATCH_VP SUCCESS']);
    assert.equal(bench.cell(`${OWN}.scheduler.blocked`), 0n);
  });

  it('a signal that the record shows unblocks it and counts: what brought it the trace does not show', () => {
    const bench = blocked();
    const before = bench.cell('partition[2].vp[0].signals');
    // Told, but its counter still says that its thread is blocked.
    const own = bench.paths.find(`${OWN}.kicked`)?.[0];
    assert.ok(own !== undefined);
    bench.machine.store.set(own, 1);
    assert.equal(wake(bench), undefined);
    const pairs = new Uint8Array(240);
    new DataView(pairs.buffer).setUint8(4, 1);
    new DataView(pairs.buffer).setBigUint64(8, 2n, true);
    signal(bench, PAIR, pairs);
    assert.equal(bench.cell('partition[2].vp[0].blocked'), 0n);
    assert.equal(bench.cell('partition[2].vp[0].signals'), before + 1n);
    assert.deepEqual(hypercallsOf(wake(bench)?.lines ?? []), ['DISPATCH_VP SUCCESS']);
  });

  it('another VP of the guest that sends it an interrupt makes the hypervisor tell', () => {
    const bench = blocked();
    bench.ioctl({ handle: PARTITION, op: request('partition', 'MSHV_CREATE_VP'), arg: u32(1), pid: 7 });
    // ICR: vector 0x41 to APIC 0, of VP 1 in x2APIC mode or by the synthetic register.
    const icr = {
      kind: 'msr',
      dir: 'write',
      msr: 0x4000_0071,
      cpu: 0,
      component: 'guest',
      value: 0x41n,
    } as const;
    const answer = bench.machine.msr({ ...icr, vp: { partition: 2n, vp: 1 } });
    const told = (answer.emitted ?? []).map((event) => (event.kind === 'message' ? event.what : event.kind));
    assert.deepEqual(told.slice(-2), ['deliver', 'interrupt']);
    assert.equal(bench.cell('partition[2].vp[0].blocked'), 0n);
  });

  it('signals come as a set of bits and as pairs; what is not the driver’s ends a message', () => {
    const bench = blocked();
    const bits = new Uint8Array(160);
    const set = new DataView(bits.buffer);
    set.setBigUint64(0, 2n, true);
    set.setUint16(12, 1, true);
    set.setBigUint64(24, 1n, true);
    set.setBigUint64(32, 1n, true);
    signal(bench, BITSET, bits);
    assert.equal(bench.cell(`${OWN}.scheduler.signals`), 2n);
    const pairs = new Uint8Array(240);
    const pair = new DataView(pairs.buffer);
    pair.setUint8(4, 2);
    pair.setBigUint64(8, 2n, true);
    pair.setBigUint64(16, 9n, true);
    signal(bench, PAIR, pairs);
    assert.equal(bench.cell(`${OWN}.scheduler.signals`), 3n);
    pair.setBigUint64(8, 9n, true);
    pair.setBigUint64(16, 2n, true);
    signal(bench, PAIR, pairs);
    assert.equal(bench.cell(`${OWN}.scheduler.signals`), 3n);
    set.setBigUint64(16, 1n, true);
    signal(bench, BITSET, bits);
    assert.equal(bench.cell(`${OWN}.scheduler.signals`), 3n);
    assert.equal(bench.cell('cpu[0].synic.slot[0].filled'), 0n);
  });
});

describe('a recording of dispatches', () => {
  const given = { ...ROOT, scheduler: 'root' };
  const header = { profile: readProfile(given), given };
  const ioctl = (handle: object, op: number, more: object = {}) => ({
    kind: 'ioctl',
    handle,
    op,
    pid: 7,
    ...more,
  });
  const message = new Uint8Array(256);
  new DataView(message.buffer).setUint32(0, HALT, true);
  message[4] = 40;

  function recorded(): readonly TraceEvent[] {
    const stimuli = [
      { kind: 'lifecycle', what: 'component-start', component: 'mshv' },
      { kind: 'fd', what: 'open', path: '/dev/mshv', pid: 7 },
      ioctl({ kind: 'device', open: 1 }, request('device', 'MSHV_CREATE_PARTITION'), {
        arg: new Uint8Array(16),
      }),
      ioctl(PARTITION, request('partition', 'MSHV_INITIALIZE_PARTITION')),
      ioctl(PARTITION, request('partition', 'MSHV_CREATE_VP'), { arg: u32(0) }),
      ioctl(VP, RUN, { ret: 0, tEnd: timeNs(5_500), out: { data: message } }),
    ].map((event, i) => ({ ...event, seq: seqOf(i + 1), t: timeNs(i * 1000), provenance: 'observed' }));
    return played({ name: 'dispatch', header, stimuli: stimuli as unknown as TraceEvent[] }, header.profile)
      .events;
  }

  it('replays without a divergence, and its dispatches are bound', () => {
    const report = replay(memorySource(header, recorded()), SIDES);
    assert.deepEqual(report.divergences, []);
    assert.ok((report.bound.dispatch ?? 0) >= 2);
  });

  it('a changed answer to a dispatch is a divergence', () => {
    const code = hypercalls.number('DISPATCH_VP');
    const changed = recorded().map((event) =>
      event.kind === 'hypercall' && Number(event.control & 0xffffn) === code && event.output?.[4] === 2
        ? { ...event, output: endOf(2, 1) }
        : event,
    );
    assert.ok(replay(memorySource(header, changed), SIDES).divergences.length > 0);
  });
});
