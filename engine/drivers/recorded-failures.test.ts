import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import type { TraceEvent } from '../trace/event.ts';
import { seqOf, timeNs } from '../trace/position.ts';
import { readProfile } from '../trace/profile-read.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { DEVICE, memoryArg, PARTITION, ROOT, request, u32 } from './guest.testing.ts';
import { played, SIDES } from './scenario.testing.ts';

/** Recordings of calls that failed: the record alone tells how far they came. */

const on = (handle: object, name: string, arg?: Uint8Array) => ({
  ...{ kind: 'ioctl', handle, op: request(handle === DEVICE ? 'device' : 'partition', name), pid: 7 },
  ...(arg === undefined ? {} : { arg }),
});
const CREATE = on(DEVICE, 'MSHV_CREATE_PARTITION', new Uint8Array(16));
const INITIALIZE = on(PARTITION, 'MSHV_INITIALIZE_PARTITION');
const CREATE_VP = on(PARTITION, 'MSHV_CREATE_VP', u32(0));

/** What happens under one profile, recorded. */
function recorded(given: JsonObject, ...stimuli: object[]): readonly TraceEvent[] {
  const profile = readProfile({ ...ROOT, ...given });
  const events = stimuli.map((event, i) => ({
    ...{ provenance: 'observed', seq: seqOf(i + 1), t: timeNs(i * 1000) },
    ...event,
  }));
  const header = { profile, given: {} };
  return played({ name: 'failures', header, stimuli: events as unknown as TraceEvent[] }, profile).events;
}

/** The same under another profile. */
function replayed(given: JsonObject, events: readonly TraceEvent[]) {
  return replay(memorySource({ profile: readProfile({ ...ROOT, ...given }), given: {} }, events), SIDES);
}

function retOf(events: readonly TraceEvent[]) {
  const last = events.findLast((event) => event.kind === 'ioctl');
  return last?.kind === 'ioctl' ? last.ret : undefined;
}

describe('a recorded ENOMEM', () => {
  const POOL = { pool: { vp: 92, partition: 208 } };

  it('after hypercalls is that of the deposit which the record does not have', () => {
    const events = recorded({ ...POOL, depositablePages: 299 }, CREATE, INITIALIZE, CREATE_VP);
    assert.equal(retOf(events), -12);
    const call = events.findLast((event) => event.kind === 'ioctl');
    assert.ok(events.filter((event) => event.parent === call?.seq).length >= 3);
    const report = replayed(POOL, events);
    assert.deepEqual([report.divergences, report.bound.allocator], [[], 1]);
  });

  it('that the driver took back what it had done for is followed too', () => {
    const short = { pool: { partition: 209 } };
    const events = recorded({ ...short, depositablePages: 208 }, CREATE, INITIALIZE, INITIALIZE);
    const report = replayed(short, events);
    assert.deepEqual([report.divergences, report.bound.allocator], [[], 2]);
  });

  it('where the record has no calls below any: nothing was done', () => {
    const events = recorded({ ...POOL, depositablePages: 297 }, CREATE, INITIALIZE, CREATE_VP);
    assert.equal(retOf(events), -12);
    const report = replayed(POOL, events);
    assert.deepEqual([report.divergences, report.bound.allocator], [[], 1]);
  });

  it('for which every page was there is a divergence', () => {
    const events = recorded({}, CREATE, INITIALIZE, CREATE_VP);
    const changed = events.map((event) =>
      event.kind === 'ioctl' && event.op === CREATE_VP.op ? { ...event, ret: -12 } : event,
    );
    assert.ok(replayed({}, changed).divergences.length > 0);
  });
});

describe('a recorded EMFILE', () => {
  /** A call that is made at a time, and its calls in the microsecond from there on. */
  const noFd = (atNs: number) => ({ ret: -24, tEnd: timeNs(atNs + 999) });
  const codes = (events: readonly TraceEvent[]) =>
    events.flatMap((event) => (event.kind === 'hypercall' ? [Number(event.control & 0xffffn)] : []));

  /** Source: Linux 7.2 drivers/hv/mshv_root_main.c, mshv_ioctl_create_partition: goto remove_partition. */
  it('of MSHV_CREATE_PARTITION comes last: the partition is deleted', () => {
    const events = recorded({}, { ...CREATE, ...noFd(0) });
    assert.equal(retOf(events), -24);
    assert.deepEqual(codes(events).slice(-2), [0x40, 0x43]);
    const report = replayed({}, events);
    assert.deepEqual([report.divergences, report.bound['file-descriptor']], [[], 1]);
  });

  /** Source: the same, mshv_partition_ioctl_create_vp: goto remove_debugfs_vp. */
  it('of MSHV_CREATE_VP too: its pages are unmapped, it is deleted, and can be made again', () => {
    const events = recorded({}, CREATE, INITIALIZE, { ...CREATE_VP, ...noFd(2000) }, CREATE_VP);
    const made = codes(events).lastIndexOf(0x4f);
    assert.deepEqual(codes(events).slice(made - 4, made + 1), [0x6d, 0x6d, 0xe2, 0xe2, 0x4f]);
    assert.ok((retOf(events) ?? -1) >= 0);
    const report = replayed({}, events);
    // The descriptors of the partition and of the second VP, and the one that there was not.
    assert.deepEqual([report.divergences, report.bound['file-descriptor']], [[], 3]);
  });

  it('of a call that the driver refuses before is a divergence', () => {
    const events = recorded({}, CREATE, INITIALIZE, CREATE_VP, CREATE_VP);
    assert.equal(retOf(events), -17);
    const changed = events.map((event) =>
      event.kind === 'ioctl' && event.ret === -17 ? { ...event, ret: -24 } : event,
    );
    assert.equal(replayed({}, changed).divergences.length, 1);
  });
});

describe('a recorded EINVAL of MSHV_SET_GUEST_MEMORY', () => {
  const beyond = on(PARTITION, 'MSHV_SET_GUEST_MEMORY', memoryArg({ frame: 1n << 34n }));

  it('is the hypervisor’s where it was asked', () => {
    const events = recorded({}, CREATE, INITIALIZE, beyond);
    assert.equal(retOf(events), -22);
    const report = replayed({}, events);
    assert.deepEqual([report.divergences, report.unmodelled], [[], 0]);
  });

  it('else that of a process which has no memory there, and stands', () => {
    const none = on(PARTITION, 'MSHV_SET_GUEST_MEMORY', memoryArg({ frame: 1n }));
    const events = recorded({}, CREATE, INITIALIZE, { ...none, ret: -22 });
    const report = replayed({}, events);
    assert.deepEqual(report.divergences, []);
    assert.ok(report.unmodelled > 0);
  });
});
