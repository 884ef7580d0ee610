import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageTypes, registers } from '../abi/index.ts';
import { LiveMachine } from '../replay/live.ts';
import { replay } from '../replay/replay.ts';
import { memorySource } from '../replay/source.ts';
import type { TraceEvent } from '../trace/event.ts';
import { timeNs } from '../trace/position.ts';
import { readProfile } from '../trace/profile-read.ts';
import { Bench } from './bench.testing.ts';
import { DEVICE, hypercallsOf, PARTITION, request, u32, VP } from './guest.testing.ts';
import { SIDES } from './scenario.testing.ts';

const RFC = { kernel: 'rfc2020', role: 'root', cpus: 1 };
const op = (fd: 'device' | 'partition' | 'vp', name: string) => request(fd, `MSHV_${name}`, 'rfc2020');
const VERSION = op('device', 'REQUEST_VERSION');
const CREATE = op('device', 'CREATE_PARTITION');
const MAP = op('partition', 'MAP_GUEST_MEMORY');
const UNMAP = op('partition', 'UNMAP_GUEST_MEMORY');
const RUN = op('vp', 'RUN_VP');
const HALT = messageTypes.number('HVMSG_X64_HALT');
const RIP = registers.number('RIP');

function memory(frame: bigint, address: bigint, size = 0x1000n, flags = 0xf): Uint8Array {
  const arg = new Uint8Array(32);
  const view = new DataView(arg.buffer);
  view.setBigUint64(0, size, true);
  view.setBigUint64(8, frame, true);
  view.setBigUint64(16, address, true);
  view.setUint32(24, flags, true);
  return arg;
}

function listArg(count: number): Uint8Array {
  const arg = new Uint8Array(24);
  new DataView(arg.buffer).setInt32(0, count, true);
  return arg;
}

/** Names, then values. */
function lists(...given: readonly (readonly [name: number, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(given.length * 20);
  const view = new DataView(bytes.buffer);
  given.forEach(([name, value], i) => {
    view.setUint32(i * 4, name, true);
    view.setUint32(given.length * 4 + i * 16, value, true);
  });
  return bytes;
}

function partition(vps = 1): Bench {
  const bench = new Bench(RFC);
  bench.ioctl({ handle: DEVICE, op: VERSION, arg: u32(0), pid: 7 });
  const arg = new Uint8Array(40);
  arg[32] = 0x55;
  bench.ioctl({ handle: DEVICE, op: CREATE, arg, pid: 7 });
  for (let i = 0; i < vps; i++) {
    bench.ioctl({ handle: PARTITION, op: op('partition', 'CREATE_VP'), arg: u32(i), pid: 7 });
  }
  return bench;
}

describe('the device of the RFC', () => {
  it('wants its version asked for first, and once', () => {
    const bench = new Bench(RFC);
    const ask = (version: number) =>
      bench.ioctl({ handle: DEVICE, op: VERSION, arg: u32(version) }).outcome?.ret;
    const create = () =>
      bench.ioctl({ handle: DEVICE, op: CREATE, arg: new Uint8Array(40), pid: 7 }).outcome?.ret;
    assert.deepEqual([create(), ask(1), ask(0), ask(0), create()], [-77, -524, 0, -77, 3]);
  });

  it('creates a partition, tells its features and initialises it', () => {
    const bench = new Bench(RFC);
    bench.ioctl({ handle: DEVICE, op: VERSION, arg: u32(0) });
    const arg = new Uint8Array(40);
    arg[32] = 0x55;
    assert.deepEqual(hypercallsOf(bench.ioctl({ handle: DEVICE, op: CREATE, arg, pid: 7 }).lines), [
      'CREATE_PARTITION SUCCESS',
      'SET_PARTITION_PROPERTY SUCCESS',
      'DEPOSIT_MEMORY SUCCESS 208',
      'INITIALIZE_PARTITION SUCCESS',
    ]);
    assert.equal(bench.cell('partition[2].property[0x10001]'), 0x55n);
  });
});

describe('partitions of the RFC', () => {
  it('are 128: one more is made, found too many and taken back twice', () => {
    const bench = partition(0);
    const create = () => bench.ioctl({ handle: DEVICE, op: CREATE, arg: new Uint8Array(40), pid: 7 });
    for (let i = 1; i < 128; i++) create();
    const { lines, outcome } = create();
    assert.equal(outcome?.ret, -28);
    assert.deepEqual(hypercallsOf(lines).slice(4), [
      'FINALIZE_PARTITION SUCCESS',
      'WITHDRAW_MEMORY NO_RESOURCES 208',
      'DELETE_PARTITION SUCCESS',
      'FINALIZE_PARTITION INVALID_PARTITION_ID',
      'DELETE_PARTITION INVALID_PARTITION_ID',
    ]);
  });
});

describe('a partition of the RFC', () => {
  const map = (bench: Bench, arg: Uint8Array) =>
    bench.ioctl({ handle: PARTITION, op: MAP, arg }).outcome?.ret;
  const unmap = (bench: Bench, arg: Uint8Array) =>
    bench.ioctl({ handle: PARTITION, op: UNMAP, arg }).outcome?.ret;

  it('maps memory with the flags that it is given', () => {
    const bench = partition();
    assert.equal(map(bench, memory(0n, 0x10_0000n)), 0);
    assert.equal(bench.cell('partition[2].gpa[0x0].flags'), 0xfn);
  });

  it('refuses what overlaps in the guest or in the process, and a bad unmap', () => {
    const bench = partition();
    map(bench, memory(0n, 0x10_0000n, 0x2000n));
    assert.equal(map(bench, memory(1n, 0x20_0000n)), -17);
    assert.equal(map(bench, memory(9n, 0x10_1000n)), -17);
    assert.equal(map(bench, memory(9n, 0x10_0800n)), -22);
    assert.equal(unmap(bench, memory(0n, 0x10_0000n)), -22);
    assert.equal(unmap(bench, memory(0n, 0x10_0000n, 0x2000n)), 0);
  });

  it('has 64 slots; where only a part can be mapped all that is said is EBADFD, and it stays', () => {
    const bench = partition();
    assert.equal(map(bench, memory(0n, 0n, 0x1000n, 0x10)), -22);
    bench.refuse('MAP_GPA_PAGES', 'OPERATION_DENIED', { reps: 1 });
    assert.equal(map(bench, memory(0n, 0n, 0x2000n)), -77);
    // Of the last call nothing was done: its own errno, and what the first mapped stays.
    const last = (1n << 34n) - 21n;
    assert.equal(map(bench, memory(last, 0n, 0x1_6000n)), -22);
    assert.equal(bench.cell(`partition[2].gpa[0x${last.toString(16)}].pages`), 21n);
    assert.equal(unmap(bench, memory(last, 0n, 0x1_6000n)), -22);
    for (let i = 0n; i < 64n; i++) assert.equal(map(bench, memory(i, 0x1000n * (i + 1n))), 0);
    assert.equal(map(bench, memory(64n, 0x7000_0000n)), -28);
  });

  it('goes without unmapping anything', () => {
    const bench = partition(0);
    map(bench, memory(0n, 0x10_0000n));
    const { lines } = bench.fd({ what: 'close', handle: PARTITION, pid: 7 });
    const names = hypercallsOf(lines).map((line) => line.split(' ')[0]);
    assert.deepEqual(names, ['FINALIZE_PARTITION', 'WITHDRAW_MEMORY', 'DELETE_PARTITION']);
  });

  it('properties, intercepts and interrupts are one hypercall each', () => {
    const bench = partition();
    const property = new Uint8Array(16);
    const view = new DataView(property.buffer);
    view.setUint32(0, 0x10001, true);
    const get = () =>
      bench.ioctl({ handle: PARTITION, op: op('partition', 'GET_PARTITION_PROPERTY'), arg: property });
    assert.equal(get().outcome?.out?.arg?.[8], 0x55);
    view.setUint32(0, 0x50003, true);
    view.setUint32(8, 0x66, true);
    bench.ioctl({ handle: PARTITION, op: op('partition', 'SET_PARTITION_PROPERTY'), arg: property });
    assert.equal(get().outcome?.out?.arg?.[8], 0x66);
    const intercept = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0, 0xf8, 3, 0, 0, 0, 0, 0, 0);
    bench.ioctl({ handle: PARTITION, op: op('partition', 'INSTALL_INTERCEPT'), arg: intercept });
    assert.equal(bench.cell('partition[2].intercept[0x3f8]'), 3n);
    const interrupt = new Uint8Array(24);
    interrupt[16] = 0x41;
    bench.ioctl({ handle: PARTITION, op: op('partition', 'ASSERT_INTERRUPT'), arg: interrupt });
    assert.equal(bench.cell('partition[2].vp[0].interrupt.irr[2]'), 2n);
  });

  it('has errnos of its own: an unknown property is EINVAL', () => {
    const arg = new Uint8Array(16).fill(0xff, 0, 4);
    const get = { handle: PARTITION, op: op('partition', 'GET_PARTITION_PROPERTY'), arg };
    assert.equal(partition().ioctl(get).outcome?.ret, -22);
  });
});

describe('a VP of the RFC', () => {
  const set = (bench: Bench, count: number, bytes?: Uint8Array) => {
    const call = { handle: VP, op: op('vp', 'SET_VP_REGISTERS'), arg: listArg(count) };
    return bench.ioctl(bytes === undefined ? call : { ...call, in: bytes });
  };

  it('its pages are not mapped, but the registers when they are first asked for', () => {
    const bench = partition(0);
    const create = { handle: PARTITION, op: op('partition', 'CREATE_VP'), arg: u32(0) };
    assert.deepEqual(hypercallsOf(bench.ioctl(create).lines), [
      'DEPOSIT_MEMORY SUCCESS 90',
      'CREATE_VP SUCCESS',
    ]);
    const mmap = (offset: bigint) => bench.fd({ what: 'mmap', handle: VP, offset });
    assert.deepEqual(hypercallsOf(mmap(0n).lines), ['MAP_VP_STATE_PAGE SUCCESS']);
    assert.deepEqual(mmap(0n).lines, []);
    assert.equal(mmap(0x1000n).outcome?.ret, -22);
  });

  it('sets and gets registers by lists of names and values', () => {
    const bench = partition();
    assert.equal(set(bench, 1, lists([RIP, 0x1234])).outcome?.ret, 0);
    const names = u32(RIP);
    const get = { handle: VP, op: op('vp', 'GET_VP_REGISTERS'), arg: listArg(1), in: names };
    const { outcome } = bench.ioctl(get);
    assert.deepEqual([outcome?.ret, outcome?.out?.data?.length, outcome?.out?.data?.[1]], [0, 16, 0x12]);
  });

  it('128 registers take sixteen calls to set, two to get; more, and those that suspend it, are refused', () => {
    const bench = partition();
    const many = lists(...Array.from({ length: 128 }, (): [number, number] => [RIP, 1]));
    const sets = hypercallsOf(set(bench, 128, many).lines);
    assert.deepEqual(sets, Array(16).fill('SET_VP_REGISTERS SUCCESS 8'));
    const names = new Uint8Array(512);
    for (let i = 0; i < 128; i++) names.set(u32(RIP), i * 4);
    const get = { handle: VP, op: op('vp', 'GET_VP_REGISTERS'), arg: listArg(128), in: names };
    const { lines, outcome } = bench.ioctl(get);
    assert.deepEqual(hypercallsOf(lines), Array(2).fill('GET_VP_REGISTERS SUCCESS 64'));
    const data = outcome?.out?.data ?? new Uint8Array(0);
    assert.deepEqual([data.length, data[0], data[127 * 16]], [2048, 1, 1]);
    assert.equal(set(bench, 129).outcome?.ret, -22);
    assert.equal(set(bench, 1, lists([0, 1])).outcome?.ret, -22);
    assert.equal(set(bench, 1, lists([1, 0])).outcome?.ret, -22);
    assert.equal(set(bench, 1).outcome?.ret, -14);
  });

  it('runs: explicit suspension first, and again when it stops; EOM always', () => {
    const bench = partition();
    bench.lifecycle('component-start', { component: 'mshv' });
    const run = { handle: VP, op: RUN, pid: 7 };
    assert.deepEqual(hypercallsOf(bench.ioctl(run).lines), [
      'GET_VP_REGISTERS SUCCESS 2',
      'SET_VP_REGISTERS SUCCESS 2',
    ]);
    assert.equal(bench.ioctl(run).outcome?.ret, -77);
    const stop = { vp: { partition: 2n, vp: 0 }, type: HALT, payload: new Uint8Array(40), registers: [] };
    assert.deepEqual(bench.intercept(stop).slice(2), ['0 mshv message clear sint 0', '0 mshv W EOM 0x0']);
    const woken = bench.wake(run);
    assert.deepEqual(hypercallsOf(woken?.lines ?? []), Array(2).fill('SET_VP_REGISTERS SUCCESS 1'));
    assert.equal(bench.cell('partition[2].vp[0].suspend.explicit'), 1n);
    assert.equal(bench.cell('partition[2].vp[0].suspend.intercept'), 0n);
    assert.equal(
      new DataView(woken?.outcome.out?.data?.buffer ?? new ArrayBuffer(4)).getUint32(0, true),
      HALT,
    );
    bench.ioctl(run);
    assert.equal(bench.wake(run, true)?.outcome.ret, -4);
  });

  it('a message that a signal kept a call from is the next one’s, which makes no other call', () => {
    const bench = partition();
    bench.lifecycle('component-start', { component: 'mshv' });
    const run = { handle: VP, op: RUN, pid: 7 };
    bench.ioctl(run);
    const stop = { vp: { partition: 2n, vp: 0 }, type: HALT, payload: new Uint8Array(40), registers: [] };
    bench.intercept(stop);
    assert.equal(bench.wake(run, true)?.outcome.ret, -4);
    const { lines, outcome } = bench.ioctl(run);
    assert.deepEqual([hypercallsOf(lines), outcome?.ret], [['GET_VP_REGISTERS SUCCESS 2'], 0]);
    // Its suspension stays, so that the one after waits for a message that nobody sends.
    assert.deepEqual(hypercallsOf(bench.ioctl(run).lines), ['GET_VP_REGISTERS SUCCESS 2']);
    assert.equal(bench.wake(run), undefined);
    assert.deepEqual(bench.wake(run, true), {
      lines: [],
      outcome: { ret: -4, rule: 'Linux.rfc2020.run-vp' },
    });
  });

  it('a message without a type is none: ENOMSG', () => {
    const bench = partition();
    const run = { handle: VP, op: RUN, pid: 7 };
    bench.ioctl(run);
    bench.intercept({ vp: { partition: 2n, vp: 0 }, type: HALT, payload: new Uint8Array(40), registers: [] });
    const content = bench.paths.find('partition[2].vp[0].intercept.content')?.[0];
    assert.ok(content !== undefined);
    bench.machine.store.set(content, 0);
    assert.equal(bench.wake(run)?.outcome.ret, -42);
  });

  it('that cannot be suspended, or let go of its stop: EBADFD, whatever the status', () => {
    for (const after of [1, 2]) {
      const bench = partition();
      const run = { handle: VP, op: RUN, pid: 7 };
      bench.refuse('SET_VP_REGISTERS', 'ACCESS_DENIED', { after });
      bench.ioctl(run);
      const stop = { vp: { partition: 2n, vp: 0 }, type: HALT, payload: new Uint8Array(40), registers: [] };
      bench.intercept(stop);
      assert.equal(bench.wake(run)?.outcome.ret, -77);
    }
    for (const call of ['GET_VP_REGISTERS', 'SET_VP_REGISTERS']) {
      const bench = partition().refuse(call, 'ACCESS_DENIED');
      assert.equal(bench.ioctl({ handle: VP, op: RUN, pid: 7 }).outcome?.ret, -13);
    }
  });

  it('a recording of one replays without a divergence and to the same hash', () => {
    const events: TraceEvent[] = [];
    const profile = readProfile(RFC);
    const live = new LiveMachine(profile, SIDES, {
      step: ({ event }) => {
        events[event.seq - 1] = event;
      },
      journal: () => {},
      checkpoint: () => {},
    });
    let t = 0;
    const feed = (event: object) => {
      t += 1000;
      const common = { t: timeNs(t), provenance: 'emulated', pid: 7 };
      return live.feed({ ...common, ...event } as Parameters<LiveMachine['feed']>[0]);
    };
    const ioctl = (handle: object, number: number, arg?: Uint8Array, input?: Uint8Array) =>
      feed({
        ...{ kind: 'ioctl', handle, op: number },
        ...(arg === undefined ? {} : { arg }),
        ...(input === undefined ? {} : { in: input }),
      });
    feed({ kind: 'lifecycle', what: 'component-start', component: 'mshv' });
    feed({ kind: 'fd', what: 'open', path: '/dev/mshv' });
    ioctl(DEVICE, VERSION, u32(0));
    ioctl(DEVICE, CREATE, new Uint8Array(40));
    ioctl(PARTITION, op('partition', 'CREATE_VP'), u32(0));
    ioctl(PARTITION, MAP, memory(0n, 0x10_0000n, 0x20_0000n));
    ioctl(VP, op('vp', 'SET_VP_REGISTERS'), listArg(1), lists([RIP, 0x100]));
    const first = ioctl(VP, RUN);
    const registersThen = [{ name: RIP, value: 0x101n }];
    const stop = { kind: 'intercept', vp: { partition: 2n, vp: 0 }, type: HALT, registers: registersThen };
    assert.equal(feed({ ...stop, payload: new Uint8Array(40) }).returned[0]?.seq, first.seq);
    ioctl(VP, op('vp', 'GET_VP_REGISTERS'), listArg(1), u32(RIP));
    const second = ioctl(VP, RUN);
    t += 1000;
    assert.equal(live.interrupt(second.seq, timeNs(t))[0]?.ret, -4);
    feed({ kind: 'lifecycle', what: 'process-exit' });
    const hash = live.finish();
    const report = replay(memorySource({ profile, given: {} }, events), SIDES);
    assert.deepEqual(report.divergences, []);
    assert.equal(report.hash, hash);
  });
});
