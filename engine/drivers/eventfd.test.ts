import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { doorbellAt, ringEvent } from '../hypervisor/index.ts';
import type { Bench } from './bench.testing.ts';
import { activePartition, hypercallsOf, PARTITION, request } from './guest.testing.ts';
import { LiveRoot } from './live.testing.ts';

const IRQFD = request('partition', 'MSHV_IRQFD');
const IOEVENTFD = request('partition', 'MSHV_IOEVENTFD');
const ROUTING = request('partition', 'MSHV_SET_MSI_ROUTING');
const BITMAP = request('partition', 'MSHV_GET_GPAP_ACCESS_BITMAP');
const CLOSED = { what: 'close', handle: PARTITION, pid: 7 } as const;

interface Irqfd {
  readonly fd?: number;
  readonly gsi?: number;
  readonly flags?: number;
}
function irqfdArg({ fd = 5, gsi = 4, flags = 0 }: Irqfd): Uint8Array {
  const arg = new Uint8Array(16);
  new DataView(arg.buffer).setInt32(0, fd, true);
  new DataView(arg.buffer).setUint32(8, gsi, true);
  arg[12] = flags;
  return arg;
}

interface Ioeventfd {
  readonly fd?: number;
  readonly address?: bigint;
  readonly length?: number;
  readonly match?: bigint;
  readonly flags?: number;
  readonly reserved?: number;
}
function ioeventfdArg(given: Ioeventfd): Uint8Array {
  const { fd = 5, address = 0xd000n, length = 4, match = 0n, flags = 0, reserved = 0 } = given;
  const arg = new Uint8Array(32);
  const view = new DataView(arg.buffer);
  view.setBigUint64(0, match, true);
  view.setBigUint64(8, address, true);
  view.setUint32(16, length, true);
  view.setInt32(20, fd, true);
  arg[24] = flags;
  arg[31] = reserved;
  return arg;
}

/** Routes a line: vector 0x41 to APIC 0, level-triggered where asked. */
function routeArg(gsi: number, level: boolean): Uint8Array {
  const arg = new Uint8Array(24);
  const view = new DataView(arg.buffer);
  view.setUint32(0, 1, true);
  view.setUint32(8, gsi, true);
  view.setUint32(12, 0xfee0_0000, true);
  view.setUint32(20, 0x41 | (level ? 0x8000 : 0), true);
  return arg;
}

const call = (bench: Bench, op: number, arg: Uint8Array, recorded: { readonly ret?: number } = {}) =>
  bench.ioctl({ handle: PARTITION, op, arg, pid: 7, ...recorded });
const route = (bench: Bench, gsi: number, level = false) => call(bench, ROUTING, routeArg(gsi, level));

describe('MSHV_IRQFD', () => {
  /** Source: Linux 7.2 drivers/hv/mshv_eventfd.c, mshv_set_unset_irqfd. */
  const CHECKS: readonly (readonly [what: string, Irqfd, recorded: number | undefined, ret: number])[] = [
    ['an eventfd', {}, undefined, 0],
    ['an unknown flag', { flags: 4 }, undefined, -22],
    ['a descriptor that is not open', {}, -9, -9],
    ['a descriptor that is no eventfd', {}, -22, -22],
    ['resampled, on an edge-triggered line', { flags: 2 }, undefined, -22],
    ['resampled, on a level-triggered line', { flags: 2, gsi: 6 }, undefined, 0],
    ['taken away, and never given', { flags: 1 }, undefined, 0],
  ];
  for (const [what, given, recorded, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => {
      const bench = activePartition({}, true, 1);
      route(bench, 6, true);
      const shown = recorded === undefined ? {} : { ret: recorded };
      assert.equal(call(bench, IRQFD, irqfdArg(given), shown).outcome?.ret, ret);
    });
  }

  it('an eventfd stands for one line', () => {
    const bench = activePartition({}, true, 1);
    assert.equal(call(bench, IRQFD, irqfdArg({})).outcome?.ret, 0);
    assert.equal(call(bench, IRQFD, irqfdArg({ gsi: 9 })).outcome?.ret, -16);
    assert.equal(call(bench, IRQFD, irqfdArg({ fd: 6 })).outcome?.ret, 0);
  });

  it('a signal asserts the interrupt of its line, one without a route only on line 0', () => {
    const bench = activePartition({}, true, 1);
    const signal = (fd: number, pid = 7) =>
      hypercallsOf(
        bench.fd({ what: 'eventfd-signal', handle: { kind: 'eventfd', fd }, value: 1n, pid }).lines,
      );
    call(bench, IRQFD, irqfdArg({}));
    call(bench, IRQFD, irqfdArg({ fd: 6, gsi: 0 }));
    assert.deepEqual(signal(5), []);
    assert.deepEqual(signal(6), ['ASSERT_VIRTUAL_INTERRUPT INVALID_PARAMETER']);
    route(bench, 4);
    assert.deepEqual(signal(5), ['ASSERT_VIRTUAL_INTERRUPT SUCCESS']);
    assert.equal(bench.cell('partition[2].vp[0].interrupt.irr[2]'), 2n);
    assert.deepEqual(signal(5, 8), []);
    call(bench, IRQFD, irqfdArg({ flags: 1 }));
    assert.deepEqual(signal(5), []);
  });

  it('an eventfd that was signalled and not read before asserts at once', () => {
    const bench = activePartition({}, true, 1);
    route(bench, 4);
    const eventfd = (what: 'eventfd-signal' | 'eventfd-read', fd: number) =>
      bench.fd({ what, handle: { kind: 'eventfd', fd }, value: 1n, pid: 7 });
    for (const fd of [5, 6]) eventfd('eventfd-signal', fd);
    eventfd('eventfd-read', 6);
    const given = (fd: number) => hypercallsOf(call(bench, IRQFD, irqfdArg({ fd })).lines);
    assert.deepEqual(given(6), []);
    assert.deepEqual(given(5), ['ASSERT_VIRTUAL_INTERRUPT SUCCESS']);
    assert.equal(bench.cell('driver.mshv.eventfd[0x700000005]'), 1n);
    eventfd('eventfd-signal', 5);
    call(bench, IRQFD, irqfdArg({ flags: 1 }));
    assert.deepEqual(given(5), [], 'read by the driver meanwhile');
  });
});

describe('MSHV_IOEVENTFD', () => {
  /** Source: Linux 7.2 drivers/hv/mshv_eventfd.c, mshv_set_unset_ioeventfd. */
  const CHECKS: readonly (readonly [what: string, Ioeventfd, recorded: number | undefined, ret: number])[] = [
    ['any value, four bytes', {}, undefined, 0],
    ['any length', { length: 0 }, undefined, 0],
    ['an unknown flag', { flags: 8 }, undefined, -22],
    ['a reserved byte', { reserved: 1 }, undefined, -22],
    ['a port', { flags: 2 }, undefined, -95],
    ['three bytes', { length: 3 }, undefined, -22],
    ['beyond the end of memory', { address: 0xffff_ffff_ffff_fffen }, undefined, -22],
    ['no eventfd', {}, -22, -22],
    ['taken away, and never given', { flags: 4 }, undefined, -2],
  ];
  for (const [what, given, recorded, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => {
      const shown = recorded === undefined ? {} : { ret: recorded };
      assert.equal(
        call(activePartition({}, true, 1), IOEVENTFD, ioeventfdArg(given), shown).outcome?.ret,
        ret,
      );
    });
  }

  it('is a port of the own partition and a connection of the guest, with one number', () => {
    const bench = activePartition({}, true, 1);
    const { lines } = call(bench, IOEVENTFD, ioeventfdArg({ match: 7n, flags: 1, length: 2 }));
    assert.deepEqual(hypercallsOf(lines), ['CREATE_PORT SUCCESS', 'CONNECT_PORT SUCCESS']);
    assert.equal(bench.cell('partition[1].port[1].sint'), 5n);
    assert.equal(bench.cell('partition[2].connection[1].gpa'), 0xd000n);
    assert.equal(bench.cell('partition[2].connection[1].flags'), 2n);
    const taken = call(bench, IOEVENTFD, ioeventfdArg({ match: 7n, flags: 5, length: 2 }));
    assert.deepEqual(hypercallsOf(taken.lines), ['DISCONNECT_PORT SUCCESS', 'DELETE_PORT SUCCESS']);
    assert.deepEqual([bench.exists('partition[1].port[1]'), taken.outcome?.ret], [false, 0]);
  });

  it('collides with the same write, or any write of the same place', () => {
    const bench = activePartition({}, true, 1);
    const add = (given: Ioeventfd) => call(bench, IOEVENTFD, ioeventfdArg(given)).outcome?.ret;
    const results = [
      { flags: 1, match: 1n },
      { flags: 1, match: 1n },
      { flags: 1, match: 2n },
      {},
      { length: 2 },
    ];
    assert.deepEqual(results.map(add), [0, -17, 0, -17, 0]);
  });

  it('goes before anything else of its partition', () => {
    const bench = activePartition({}, true, 0);
    call(bench, IOEVENTFD, ioeventfdArg({}));
    call(bench, IOEVENTFD, ioeventfdArg({ address: 0xe000n }));
    const names = hypercallsOf(bench.fd(CLOSED).lines).map((line) => line.split(' ')[0]);
    assert.deepEqual(names.slice(0, 5), [
      ...['DISCONNECT_PORT', 'DELETE_PORT', 'DISCONNECT_PORT', 'DELETE_PORT'],
      'FINALIZE_PARTITION',
    ]);
  });
});

describe('doorbells', () => {
  function rung(): Bench {
    const bench = activePartition({}, true, 1);
    bench.lifecycle('component-start', { component: 'mshv' });
    call(bench, IOEVENTFD, ioeventfdArg({ match: 7n, flags: 1 }));
    call(bench, IOEVENTFD, ioeventfdArg({ address: 0xe000n, length: 0, fd: 6 }));
    return bench;
  }

  it('ring by place, length and value', () => {
    const { machine } = rung();
    const at = (gpa: bigint, bytes: number, value: bigint) => doorbellAt(machine, 2n, { gpa, bytes, value });
    assert.deepEqual(
      [at(0xd000n, 4, 7n), at(0xd000n, 4, 8n), at(0xd000n, 2, 7n), at(0xe000n, 1, 9n), at(0xf000n, 4, 7n)],
      [1, undefined, undefined, 2, undefined],
    );
    assert.equal(doorbellAt(machine, 9n, { gpa: 0xd000n, bytes: 4, value: 7n }), undefined);
  });

  it('signal their eventfd through the ring and the slot of intercepts; the VP goes on', () => {
    const bench = rung();
    const lines = bench.intercept(ringEvent({ partition: 2n, vp: 0 }, 5, 2));
    assert.deepEqual(lines, [
      '0 hypervisor message deliver sint 0',
      '0 hypervisor message interrupt sint 0',
      '0 mshv fd eventfd-signal eventfd:6',
      '0 mshv message clear sint 0',
    ]);
    assert.equal(bench.cell('partition[2].vp[0].suspend.intercept'), 0n);
    assert.equal(bench.exists('cpu[0].ring[0]'), false);
  });

  it('of a port that is gone are not known', () => {
    assert.deepEqual(rung().intercept(ringEvent({ partition: 2n, vp: 0 }, 5, 9)), []);
  });

  it('replay as they were recorded', () => {
    const live = new LiveRoot();
    live.ioctl(PARTITION, IOEVENTFD, ioeventfdArg({}));
    live.ioctl(PARTITION, IRQFD, irqfdArg({ gsi: 0 }));
    live.feed(ringEvent({ partition: 2n, vp: 0 }, 5, 1));
    live.feed({ kind: 'fd', what: 'eventfd-signal', handle: { kind: 'eventfd', fd: 5 }, value: 1n });
    live.feed({ kind: 'fd', ...CLOSED });
    assert.ok(live.recorded.some((event) => event.kind === 'fd' && event.component === 'mshv'));
    live.finish();
  });
});

describe('MSHV_GET_GPAP_ACCESS_BITMAP', () => {
  interface Given {
    readonly type?: number;
    readonly op?: number;
    readonly reserved?: number;
    readonly pages?: bigint;
    readonly pointer?: bigint;
  }
  function argOf({ type = 1, op = 1, reserved = 0, pages = 20n, pointer = 0x1000n }: Given): Uint8Array {
    const arg = Uint8Array.of(type, op, reserved, ...new Array<number>(29).fill(0));
    const view = new DataView(arg.buffer);
    view.setBigUint64(8, pages, true);
    view.setBigUint64(24, pointer, true);
    return arg;
  }
  /** Source: Linux 7.2 drivers/hv/mshv_root_main.c, mshv_partition_ioctl_get_gpap_access_bitmap. */
  const CHECKS: readonly (readonly [what: string, Given, number])[] = [
    ['dirty pages', {}, 0],
    ['an unknown type', { type: 2 }, -22],
    ['an unknown operation', { op: 3 }, -22],
    ['a reserved byte', { reserved: 1 }, -22],
    ['no page', { pages: 0n }, -22],
    ['no bitmap', { pointer: 0n }, -22],
    ['more pages than there are', { pages: 1n << 62n }, -7],
  ];
  for (const [what, given, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => {
      assert.equal(call(activePartition({}, true, 1), BITMAP, argOf(given)).outcome?.ret, ret);
    });
  }

  it('asks 4095 pages a call and gives a bit a page; the record says which', () => {
    const bench = activePartition({}, true, 1);
    const { lines } = call(bench, BITMAP, argOf({ pages: 5000n }));
    assert.deepEqual(hypercallsOf(lines), [
      'GET_GPA_PAGES_ACCESS_STATES SUCCESS 4095',
      'GET_GPA_PAGES_ACCESS_STATES SUCCESS 905',
    ]);
    const data = Uint8Array.of(0x5, 0, 0x8);
    const shown = { handle: PARTITION, op: BITMAP, arg: argOf({}), ret: 0, out: { data } };
    assert.deepEqual(bench.ioctl(shown).outcome?.out?.data, data);
  });
});
