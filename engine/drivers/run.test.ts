import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageTypes, registers } from '../abi/index.ts';
import { LiveMachine } from '../replay/live.ts';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import type { IoctlOut, TraceEvent } from '../trace/event.ts';
import { timeNs } from '../trace/position.ts';
import { readProfile } from '../trace/profile-read.ts';
import type { Bench } from './bench.testing.ts';
import {
  activePartition,
  DEVICE,
  hypercallsOf,
  memoryArg,
  PARTITION,
  ROOT,
  request,
  u32,
  VP,
} from './guest.testing.ts';
import { GPA_INTERCEPT, giveMemory, HALT, RUN, run, VP_REF, wake, withVp } from './run.testing.ts';
import { SIDES } from './scenario.testing.ts';

const NONE = messageTypes.number('HVMSG_NONE');
const RIP = registers.number('RIP');
const RAX = registers.number('RAX');

/** A message that begins with the header of an intercept at RIP `rip`. */
function payload(rip: bigint, bytes = 40): Uint8Array {
  const message = new Uint8Array(bytes);
  new DataView(message.buffer).setBigUint64(24, rip, true);
  return message;
}

/** A memory intercept: 0 read, 1 write, 2 execute. */
function touch(gpa: bigint, access: number): Uint8Array {
  const message = payload(0x1000n, 80);
  message[5] = access;
  new DataView(message.buffer).setBigUint64(56, gpa, true);
  return message;
}

/** mshv is loaded, and the VP runs. */
function running(): Bench {
  const bench = withVp();
  run(bench);
  return bench;
}

describe('MSHV_RUN_VP', () => {
  it('lifts the suspension for intercepts first, and waits', () => {
    const bench = activePartition({}, true, 1);
    const { lines, outcome } = run(bench);
    assert.deepEqual(hypercallsOf(lines), ['SET_VP_REGISTERS SUCCESS 2']);
    assert.deepEqual(outcome, { rule: 'Linux.mshv.run-vp' });
    assert.equal(bench.cell('partition[2].vp[0].suspend.explicit'), 0n);
    assert.equal(wake(bench), undefined);
  });

  it('returns the message when the interrupt has told of the stop', () => {
    const bench = running();
    const registersThen = [{ name: RAX, value: 7n }];
    const stop = { vp: VP_REF, type: HALT, payload: payload(0x7c00n), registers: registersThen };
    assert.deepEqual(bench.intercept(stop), [
      '0 hypervisor message deliver sint 0',
      '0 hypervisor message interrupt sint 0',
      '0 mshv message clear sint 0',
    ]);
    assert.equal(bench.cell('partition[2].vp[0].suspend.intercept'), 1n);
    assert.equal(bench.cell('partition[2].vp[0].reg.rax'), 7n);
    const woken = wake(bench);
    assert.deepEqual([woken?.lines, woken?.outcome.ret], [[], 0]);
    const data = woken?.outcome.out?.data ?? new Uint8Array(0);
    const view = new DataView(data.slice().buffer);
    assert.deepEqual([data.length, view.getUint32(0, true), view.getUint8(4)], [256, HALT, 40]);
    assert.deepEqual([view.getBigUint64(8, true), view.getBigUint64(40, true)], [2n, 0x7c00n]);
    assert.equal(wake(bench), undefined);
  });

  it('a signal suspends the VP; a message that is on its way is waited for', () => {
    const bench = running();
    const signalled = wake(bench, true);
    assert.deepEqual(hypercallsOf(signalled?.lines ?? []), [
      'SET_VP_REGISTERS SUCCESS 1',
      'GET_VP_REGISTERS SUCCESS 1',
    ]);
    assert.equal(signalled?.outcome.ret, -4);
    assert.equal(bench.cell('partition[2].vp[0].suspend.explicit'), 1n);
    run(bench);
    bench.intercept({ vp: VP_REF, type: HALT, payload: payload(0n), registers: [] });
    assert.equal(wake(bench, true)?.outcome.ret, 0);
  });

  it('a touch of memory that is there is the kernel’s affair', () => {
    const bench = running();
    giveMemory(bench);
    bench.intercept({ vp: VP_REF, type: GPA_INTERCEPT, payload: touch(0x20_1000n, 1), registers: [] });
    const woken = wake(bench);
    assert.deepEqual(hypercallsOf(woken?.lines ?? []), [
      'MAP_GPA_PAGES SUCCESS 256',
      'SET_VP_REGISTERS SUCCESS 2',
    ]);
    assert.deepEqual(woken?.outcome, { rule: 'Linux.mshv.run-vp' });
    assert.equal(bench.cell('partition[2].gpa[0x200].flags'), 0x8003n);
    assert.equal(bench.cell('partition[2].vp[0].suspend.intercept'), 0n);
  });

  it('a touch that is not allowed, or of nothing, goes to user space', () => {
    for (const message of [touch(0x1000n, 2), touch(0x4000_0000n, 0)]) {
      const bench = running();
      giveMemory(bench);
      bench.intercept({ vp: VP_REF, type: GPA_INTERCEPT, payload: message, registers: [] });
      assert.equal(wake(bench)?.outcome.ret, 0);
    }
  });

  it('what it was asked to tell of is told once, and stays asked for where it was not told', () => {
    const bench = running();
    const [asked] = bench.paths.find('partition[2].vp[0].deliverability') ?? assert.fail();
    assert.ok(asked !== undefined);
    const stop = (type: string, first: number, after: bigint) => {
      const told = new Uint8Array(48);
      told[40] = first;
      bench.intercept({ vp: VP_REF, type: messageTypes.number(type), payload: told, registers: [] });
      assert.equal(bench.cell('partition[2].vp[0].deliverability'), after);
    };
    bench.machine.store.set(asked, (5n << 48n) | 0x2bn);
    stop('HVMSG_X64_HALT', 4, (5n << 48n) | 0x2bn);
    stop('HVMSG_SYNIC_SINT_DELIVERABLE', 4, (1n << 48n) | 0x2bn);
    stop('HVMSG_X64_INTERRUPTION_DELIVERABLE', 0, (1n << 48n) | 1n);
    stop('HVMSG_X64_INTERRUPTION_DELIVERABLE', 2, 1n << 48n);
  });

  it('of another partition’s VP nothing is known', () => {
    const bench = activePartition();
    assert.deepEqual(run(bench), { lines: ['not modelled'], outcome: undefined });
    assert.deepEqual(bench.intercept({ vp: VP_REF, type: HALT, payload: payload(0n) }), []);
  });

  it('what was recorded of its return is taken where no stop is in the trace', () => {
    const bench = running();
    const data = new Uint8Array(256);
    new DataView(data.buffer).setUint32(0, HALT, true);
    data[4] = 40;
    data.set(payload(0x1234n), 16);
    const woken = bench.wake({ handle: VP, op: RUN, pid: 7, ret: 0, out: { data } });
    assert.deepEqual(woken?.outcome, { ret: 0, out: { data }, rule: 'Linux.mshv.run-vp' });
    assert.equal(woken?.lines[0], 'stop of 2.0');
    assert.equal(bench.cell('partition[2].vp[0].reg.rip'), 0x1234n);
  });
});

describe('a recording of a running VP', () => {
  /** A machine that records what happens to it. */
  class Recording {
    readonly events: TraceEvent[] = [];
    readonly profile = readProfile({ ...ROOT });
    readonly live: LiveMachine;
    #t = 0;

    constructor() {
      this.live = new LiveMachine(this.profile, SIDES, {
        step: ({ event }) => {
          this.events[event.seq - 1] = event;
        },
        journal: () => {},
        checkpoint: () => {},
      });
    }

    feed(event: object) {
      this.#t += 1000;
      const common = { t: timeNs(this.#t), provenance: 'emulated', pid: 7 };
      return this.live.feed({ ...common, ...event } as Parameters<LiveMachine['feed']>[0]);
    }

    interrupt(seq: Parameters<LiveMachine['interrupt']>[0]) {
      this.#t += 1000;
      return this.live.interrupt(seq, timeNs(this.#t));
    }
  }

  /** A program that maps memory, runs a VP whose guest touches it, halts, is interrupted, and goes. */
  function recorded(loaded: boolean): Recording {
    const recording = new Recording();
    const ioctl = (handle: object, op: number, arg?: Uint8Array) =>
      recording.feed({ kind: 'ioctl', handle, op, ...(arg === undefined ? {} : { arg }) });
    if (loaded) recording.feed({ kind: 'lifecycle', what: 'component-start', component: 'mshv' });
    recording.feed({ kind: 'fd', what: 'open', path: '/dev/mshv' });
    ioctl(DEVICE, request('device', 'MSHV_CREATE_PARTITION'), new Uint8Array(16));
    ioctl(PARTITION, request('partition', 'MSHV_INITIALIZE_PARTITION'));
    ioctl(PARTITION, request('partition', 'MSHV_CREATE_VP'), u32(0));
    const memory = memoryArg({ frame: 0n, size: 0x20_0000n, flags: 3 });
    ioctl(PARTITION, request('partition', 'MSHV_SET_GUEST_MEMORY'), memory);
    const first = ioctl(VP, RUN);
    assert.deepEqual(first.returned, []);
    const stop = (type: number, bytes: Uint8Array, rip: bigint) =>
      recording.feed({
        kind: 'intercept',
        vp: VP_REF,
        type,
        payload: bytes,
        registers: [{ name: RIP, value: rip }],
      });
    assert.deepEqual(stop(GPA_INTERCEPT, touch(0x1000n, 0), 0x100n).returned, []);
    const { returned } = stop(HALT, payload(0x101n), 0x101n);
    assert.deepEqual([returned[0]?.seq, returned[0]?.ret], [first.seq, 0]);
    const second = ioctl(VP, RUN);
    recording.feed({ kind: 'intercept', vp: VP_REF, type: NONE, registers: [{ name: RIP, value: 0x102n }] });
    assert.deepEqual(recording.interrupt(second.seq), [{ seq: second.seq, ret: -4 }]);
    recording.feed({ kind: 'lifecycle', what: 'process-exit' });
    return recording;
  }

  for (const loaded of [true, false]) {
    it(`replays without a divergence and to the same hash, mshv ${loaded ? 'loaded' : 'not seen to load'}`, () => {
      const { live, events, profile } = recorded(loaded);
      const hash = live.finish();
      const report = replay(memorySource({ profile, given: {} }, events), SIDES);
      assert.deepEqual(report.divergences, []);
      assert.equal(report.hash, hash);
      assert.ok(report.checked > 100);
    });
  }

  it('replays from its calls alone: what is below them is derived', () => {
    const { events, profile } = recorded(true);
    const calls = events.filter(({ kind, parent }) => parent === undefined && kind !== 'intercept');
    const renumbered = calls.map((event, i) => ({ ...event, seq: i + 1 }) as TraceEvent);
    const report = replay(memorySource({ profile, given: {} }, renumbered), SIDES);
    assert.deepEqual(report.divergences, []);
    assert.equal(report.bound.intercept, 1);
    assert.equal(report.bound.signal, 1);
  });

  it('a changed message is a divergence', () => {
    const { events, profile } = recorded(true);
    const changed = events.map((event) => {
      if (event.kind !== 'ioctl' || event.op !== RUN || event.out?.data === undefined) return event;
      const data = event.out.data.slice();
      data[40] = 0x55;
      const out: IoctlOut = { data };
      return { ...event, out };
    });
    const { divergences } = replay(memorySource({ profile, given: {} }, changed), SIDES);
    assert.deepEqual(
      divergences.map(({ field }) => field),
      ['out.data'],
    );
  });
});
