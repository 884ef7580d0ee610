import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hypercalls, messageTypes, statuses } from '../abi/index.ts';
import { HypervisorBench } from '../hypervisor/bench.testing.ts';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import type { TraceEvent } from '../trace/event.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import { readProfile } from '../trace/profile-read.ts';
import { activePartition, PARTITION, ROOT, request } from './guest.testing.ts';
import { played, SIDES } from './scenario.testing.ts';

const header = { profile: readProfile(ROOT), given: ROOT };
const SET_PROPERTY = hypercalls.number('SET_PARTITION_PROPERTY');
const CALL_PENDING = statuses.number('CALL_PENDING');
const ACCESS_DENIED = statuses.number('ACCESS_DENIED');
const COMPLETION = messageTypes.number('HVMSG_ASYNC_CALL_COMPLETION');
const END = 8_000;

function argOf(status: number): Uint8Array {
  const arg = new Uint8Array(32);
  const view = new DataView(arg.buffer);
  view.setUint16(0, SET_PROPERTY, true);
  view.setUint16(4, 24, true);
  view.setUint16(8, status, true);
  view.setBigUint64(16, 0x1000n, true);
  return arg;
}

function input(): Uint8Array {
  const bytes = new Uint8Array(24);
  new DataView(bytes.buffer).setUint32(8, 0x10001, true);
  bytes[16] = 5;
  return bytes;
}

/** A property is set through the partition's file; the hypervisor takes the call and finishes it later. */
function pending(ret: number, status: number): TraceEvent[] {
  const op = request('partition', 'MSHV_ROOT_HVCALL');
  const stimuli = [
    { kind: 'lifecycle', what: 'component-start', component: 'mshv' },
    { kind: 'fd', what: 'open', path: '/dev/mshv', pid: 7 },
    {
      ...{ kind: 'ioctl', handle: { kind: 'device', open: 1 }, pid: 7, arg: new Uint8Array(16) },
      op: request('device', 'MSHV_CREATE_PARTITION'),
    },
    { kind: 'ioctl', handle: PARTITION, op, arg: argOf(0), in: input(), pid: 7 },
  ].map((event, i) => ({ ...event, seq: seqOf(i + 1), t: timeNs(i * 1000), provenance: 'observed' }));
  const scenario = { name: 'async', header, stimuli: stimuli as unknown as TraceEvent[] };
  return played(scenario, header.profile).events.map((event) => {
    if (event.kind === 'ioctl' && event.op === op) {
      return { ...event, ret, tEnd: timeNs(END), out: { arg: argOf(status) } };
    }
    if (event.kind !== 'hypercall' || Number(event.control & 0xffffn) !== SET_PROPERTY) return event;
    return { ...event, result: { status: CALL_PENDING, reps: 0 } };
  });
}

/** The message that a call on the partition is finished. */
function completion(events: readonly TraceEvent[], status: number, partition = 2n): TraceEvent {
  const slot = new Uint8Array(256);
  const view = new DataView(slot.buffer);
  view.setUint32(0, COMPLETION, true);
  view.setUint8(4, 24);
  view.setBigUint64(16, partition, true);
  view.setUint32(24, status, true);
  const at = { seq: seqOf(events.length + 1), t: timeNs(5_000), provenance: 'observed' } as const;
  return { ...at, kind: 'message', component: 'hypervisor', cpu: 0, sint: 0, what: 'deliver', slot };
}

describe('a hypercall that the hypervisor finishes later', () => {
  it('waits for the message of its end, whose status is the call’s', () => {
    const events = pending(0, 0);
    const report = replay(memorySource(header, [...events, completion(events, 0)]), SIDES);
    assert.deepEqual(report.divergences, []);
    assert.equal(report.bound['async-call'], 1);
  });

  it('a status that is not that of the message is a divergence', () => {
    const events = pending(0, 0);
    const report = replay(memorySource(header, [...events, completion(events, ACCESS_DENIED)]), SIDES);
    assert.deepEqual(
      report.divergences.map(({ field, expected }) => [field, expected]),
      [
        ['ret', '-5'],
        ['out.arg', report.divergences[1]?.expected],
      ],
    );
    const failed = pending(-5, ACCESS_DENIED);
    assert.deepEqual(
      replay(memorySource(header, [...failed, completion(failed, ACCESS_DENIED)]), SIDES).divergences,
      [],
    );
  });

  it('without the message the record of the call tells', () => {
    const report = replay(memorySource(header, pending(0, 0)), SIDES);
    assert.deepEqual(report.divergences, []);
    assert.equal(report.bound['async-call'], 2);
  });

  it('an end that nobody waited for refuses the next call: EPERM', () => {
    const events = pending(0, 0);
    const [call] = events.filter(({ kind }) => kind === 'ioctl').slice(-1);
    assert.ok(call?.kind === 'ioctl');
    const message = { ...completion(events, 0), t: timeNs(9_000) };
    // Its interrupt is served when another VP of somebody's stops.
    const { out: _, ret: __, ...plain } = call;
    const next = { seq: seqOf(events.length + 2), t: timeNs(9_500), provenance: 'observed' } as const;
    const stop = { ...next, kind: 'intercept', vp: { partition: 9n, vp: 0 }, type: 0 } as const;
    const again = { ...plain, seq: seqOf(events.length + 3), t: timeNs(9_600), tEnd: timeNs(9_700), ret: -1 };
    const report = replay(memorySource(header, [...events, message, stop, again]), SIDES);
    assert.deepEqual(report.divergences, []);
  });

  it('of a partition that is not there it is a message that nobody handles', () => {
    const events = pending(0, 0);
    const report = replay(memorySource(header, [...events, completion(events, ACCESS_DENIED, 9n)]), SIDES);
    assert.deepEqual(report.divergences, []);
    assert.equal(report.bound['async-call'], 2);
  });

  it('is no other than the one that may be: EBADFD', () => {
    const { machine } = activePartition({}, false);
    const arg = argOf(0);
    new DataView(arg.buffer).setUint16(0, hypercalls.number('GET_PARTITION_PROPERTY'), true);
    const op = request('partition', 'MSHV_ROOT_HVCALL');
    const event = {
      kind: 'ioctl',
      handle: PARTITION,
      op,
      arg,
      in: input(),
      seq: seqOf(9),
      t: timeNs(0),
    } as const;
    const run = machine.handler({ ...event, provenance: 'derived' })?.enter(machine, {
      ...event,
      provenance: 'derived',
    });
    assert.ok(run !== undefined && 'next' in run);
    run.next({ kind: 'none' });
    const answered = run.next({ kind: 'hypercall', result: { status: CALL_PENDING, reps: 0 }, rule: 'test' });
    assert.ok(answered.done);
    assert.equal(answered.value.ret, -77);
    assert.equal(answered.value.out?.arg?.[8], CALL_PENDING);
  });

  it('where nobody could be told ends at once', () => {
    const bench = new HypervisorBench({ role: 'root', asyncCalls: 'at-once' });
    bench.call('CREATE_PARTITION');
    const name = { partition_id: 2n, property_code: 0x10001, property_value: 1n };
    assert.equal(bench.call('SET_PARTITION_PROPERTY', name).status, 'SUCCESS');
  });
});
