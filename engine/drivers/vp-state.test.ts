import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seqOf, timeNs } from '../trace/position.ts';
import type { Bench } from './bench.testing.ts';
import { activePartition, hypercallsOf, PARTITION, request, VP } from './guest.testing.ts';

const GET = request('vp', 'MSHV_GET_VP_STATE');
const SET = request('vp', 'MSHV_SET_VP_STATE');
const ROUTING = request('partition', 'MSHV_SET_MSI_ROUTING');
const RUN = request('vp', 'MSHV_RUN_VP');

/** Where a LAPIC's state has what is left of its timer's count. */
const COUNTER = 164;
const AT = { seq: seqOf(1), t: timeNs(0), provenance: 'authored' } as const;

interface Given {
  readonly type?: number;
  readonly reserved?: number;
  readonly size?: number;
  readonly pointer?: bigint;
}

function argOf({ type = 0, reserved = 0, size = 4096, pointer = 0x1000n }: Given): Uint8Array {
  const arg = new Uint8Array(16);
  const view = new DataView(arg.buffer);
  arg[0] = type;
  arg[3] = reserved;
  view.setUint32(4, size, true);
  view.setBigUint64(8, pointer, true);
  return arg;
}

const get = (bench: Bench, given: Given) => bench.ioctl({ handle: VP, op: GET, arg: argOf(given), pid: 7 });
const set = (bench: Bench, given: Given, bytes?: Uint8Array) =>
  bench.ioctl({
    handle: VP,
    op: SET,
    arg: argOf(given),
    pid: 7,
    ...(bytes === undefined ? {} : { in: bytes }),
  });
const vp = () => activePartition({}, true, 1);

describe('MSHV_GET_VP_STATE and MSHV_SET_VP_STATE', () => {
  /** Source: Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vp_ioctl_get_set_state. */
  const CHECKS: readonly (readonly [what: string, Given, number])[] = [
    ['the LAPIC', {}, 0],
    ['XSAVE', { type: 1 }, 0],
    ['timers', { type: 4 }, 0],
    ['an unknown type', { type: 5 }, -22],
    ['a reserved byte', { reserved: 1 }, -22],
    ['no buffer', { size: 0 }, -22],
    ['half a page', { size: 2048 }, -22],
    ['an address inside a page', { pointer: 0x1008n }, -22],
    ['a buffer that ends where memory does', { pointer: 0xffff_ffff_ffff_f000n }, -14],
    ['as many pages as a call lists', { size: 507 * 4096 }, 0],
    ['more pages than a call lists', { size: 508 * 4096 }, -22],
    ['timers in a buffer of as many', { type: 4, size: 508 * 4096 }, 0],
  ];
  for (const [what, given, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => assert.equal(get(vp(), given).outcome?.ret, ret));
  }

  it('XSAVE asks for its states and size first; a buffer that is too small is told how much it takes', () => {
    const bench = vp();
    const { lines } = get(bench, { type: 1 });
    assert.deepEqual(hypercallsOf(lines), [
      'GET_PARTITION_PROPERTY SUCCESS',
      'GET_PARTITION_PROPERTY SUCCESS',
      'GET_VP_STATE SUCCESS',
    ]);
    const property = bench.paths.find('partition[2].property[0x60008]')?.[0];
    assert.ok(property !== undefined);
    bench.machine.store.set(property, 5000);
    const { outcome } = get(bench, { type: 1 });
    assert.equal(outcome?.ret, -22);
    assert.equal(
      new DataView(outcome?.out?.arg?.slice().buffer ?? new ArrayBuffer(8)).getUint32(4, true),
      5000,
    );
  });

  it('the call lists every page of the buffer, also those that the state does not take', () => {
    const bench = vp();
    const state = new Uint8Array(3 * 4096).fill(3);
    assert.deepEqual(hypercallsOf(set(bench, { size: 3 * 4096 }, state).lines), ['SET_VP_STATE SUCCESS']);
    assert.equal(get(bench, { size: 3 * 4096 }).outcome?.out?.data?.length, 3 * 4096);
  });

  it('what was set is read back until the guest has run', () => {
    const bench = vp();
    const state = new Uint8Array(4096).fill(3);
    state.fill(0, COUNTER, COUNTER + 4);
    assert.deepEqual(hypercallsOf(set(bench, {}, state).lines), ['SET_VP_STATE SUCCESS']);
    const wrong = { out: { data: new Uint8Array(4096) }, ret: 0, pid: 7 };
    const ask = () => bench.ioctl({ handle: VP, op: GET, arg: argOf({}), ...wrong }).outcome?.out?.data;
    assert.deepEqual(ask(), state);
    bench.ioctl({ handle: VP, op: RUN, pid: 7 });
    assert.deepEqual(ask(), wrong.out.data);
    assert.equal(bench.machine.bound['vp-state'], 1);
  });

  it('the LAPIC that is given is that of the machine, and what becomes of it is read', () => {
    const bench = vp();
    const state = new Uint8Array(4096);
    state[16] = 0xff;
    state[17] = 1;
    set(bench, {}, state);
    assert.equal(bench.cell('partition[2].vp[0].lapic.svr'), 0x1ffn);
    const request = { kind: 'message', what: 'interrupt', sint: 0, vector: 0x21 } as const;
    bench.machine.note({ ...request, ...AT, vp: { partition: 2n, vp: 0 } });
    const data = get(bench, {}).outcome?.out?.data;
    assert.equal(data?.[17], 1);
    // The word of vectors 32 to 63 is the second of those that are requested, behind 21 words.
    assert.equal(data?.[21 * 4 + 4], 1 << 1);
  });

  it('a timer that runs changes what the record alone can tell', () => {
    const bench = vp();
    const state = new Uint8Array(4096);
    state[COUNTER] = 9;
    set(bench, {}, state);
    const recorded = new Uint8Array(4096).fill(1);
    const asked = bench.ioctl({
      handle: VP,
      op: GET,
      arg: argOf({}),
      pid: 7,
      ret: 0,
      out: { data: recorded },
    });
    assert.deepEqual(asked.outcome?.out?.data, recorded);
  });

  it('the message page has what was delivered, and what is given fills and frees slots', () => {
    const bench = vp();
    const slot = new Uint8Array(24).fill(7);
    bench.machine.note({
      kind: 'message',
      what: 'deliver',
      sint: 2,
      slot,
      ...AT,
      vp: { partition: 2n, vp: 0 },
    });
    const page = get(bench, { type: 2 }).outcome?.out?.data?.slice() ?? assert.fail();
    assert.deepEqual([page[512], page[512 + 5], page[512 + 23], page[512 + 24]], [7, 0, 7, 0]);
    page.fill(0, 512, 516);
    page[256] = 0x10;
    page[256 + 5] = 1;
    set(bench, { type: 2 }, page);
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[2].filled'), 0n);
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[1].filled'), 1n);
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[1].type'), 0x10n);
    assert.deepEqual(get(bench, { type: 2 }).outcome?.out?.data, page);
  });

  it('the event flag page has the flags that are set, and sets and clears them', () => {
    const bench = vp();
    const flag = { kind: 'message', what: 'event', sint: 3, flag: 9, ...AT } as const;
    bench.machine.note({ ...flag, vp: { partition: 2n, vp: 0 } });
    const page = get(bench, { type: 3 }).outcome?.out?.data?.slice() ?? assert.fail();
    assert.equal(page[3 * 256 + 1], 2);
    page[3 * 256 + 1] = 0;
    page[4 * 256 + 255] = 0x80;
    set(bench, { type: 3 }, page);
    assert.equal(bench.cell('partition[2].vp[0].eventFlags[96]'), 0n);
    assert.equal(bench.cell('partition[2].vp[0].eventFlags[159]'), 1n << 63n);
    assert.deepEqual(get(bench, { type: 3 }).outcome?.out?.data, page);
  });

  it('a page event shows what the guest made of its message and event flag page', () => {
    const bench = vp();
    const shown = { kind: 'page', what: 'snapshot', ...AT, vp: { partition: 2n, vp: 0 } } as const;
    const type = [{ offset: 256, bytes: Uint8Array.of(0x10) }];
    bench.machine.page({ ...shown, page: 'simp', bytes: type });
    bench.machine.page({ ...shown, page: 'siefp', bytes: [{ offset: 256, bytes: Uint8Array.of(4) }] });
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[1].filled'), 1n);
    assert.equal(get(bench, { type: 2 }).outcome?.out?.data?.[256], 0x10);
    assert.equal(bench.cell('partition[2].vp[0].eventFlags[32]'), 4n);
  });

  it('timers that are given run; those that may have been written to unseen are as recorded', () => {
    const bench = vp();
    const timers = new Uint8Array(4096);
    timers.set([1, 0, 2], 8);
    timers[16] = 7;
    set(bench, { type: 4 }, timers);
    assert.equal(bench.cell('partition[2].vp[0].timerDue[0]'), 700n);
    const recorded = new Uint8Array(200);
    const ask = () =>
      bench.ioctl({ handle: VP, op: GET, arg: argOf({ type: 4 }), pid: 7, ret: 0, out: { data: recorded } });
    assert.deepEqual(ask().outcome?.out?.data, recorded);
    assert.equal(bench.cell('partition[2].vp[0].timerDue[0]'), 0n);
    recorded[8] = 4;
    assert.equal(ask().outcome?.out?.data?.[8], 0);
    bench.ioctl({ handle: VP, op: RUN, pid: 7 });
    assert.equal(ask().outcome?.out?.data?.[8], 4);
  });

  it('timers travel in the call itself', () => {
    const bench = vp();
    const timers = new Uint8Array(4096);
    timers[16] = 7;
    set(bench, { type: 4 }, timers);
    assert.equal(bench.cell('partition[2].vp[0].synic.timer[0].count'), 7n);
    assert.equal(get(bench, { type: 4 }).outcome?.out?.data?.[16], 7);
  });

  it('a buffer that cannot be read: EFAULT', () => {
    assert.equal(set(vp(), {}).outcome?.ret, -14);
  });
});

describe('MSHV_SET_MSI_ROUTING', () => {
  function table(
    entries: readonly (readonly [gsi: number, low: number, high: number, data: number])[],
    nr = entries.length,
  ) {
    const arg = new Uint8Array(8 + entries.length * 16);
    const view = new DataView(arg.buffer);
    view.setUint32(0, nr, true);
    entries.forEach((entry, i) => {
      entry.forEach((value, word) => {
        view.setUint32(8 + i * 16 + word * 4, value, true);
      });
    });
    return arg;
  }
  const route = (bench: Bench, arg: Uint8Array) =>
    bench.ioctl({ handle: PARTITION, op: ROUTING, arg, pid: 7 }).outcome?.ret;

  it('puts a table in the place of the old one', () => {
    const bench = activePartition();
    assert.equal(
      route(
        bench,
        table([
          [5, 0xfee0_0000, 0, 0x41],
          [6, 0, 0, 0],
        ]),
      ),
      0,
    );
    assert.equal(bench.cell('driver.mshv.partition[2].route[5].data'), 0x41n);
    assert.equal(route(bench, table([])), 0);
    assert.equal(bench.exists('driver.mshv.partition[2].route[5].data'), false);
  });

  const CHECKS: readonly (readonly [what: string, arg: Uint8Array, ret: number])[] = [
    ['too many', table([], 4097), -22],
    ['a line that does not exist', table([[4096, 0, 0, 0]]), -22],
    ['an address beyond 32 bits', table([[1, 0, 1, 0]]), -22],
    [
      'a line twice',
      table([
        [1, 0, 0, 0],
        [1, 0, 0, 0],
      ]),
      -22,
    ],
    ['entries that are not there', table([[1, 0, 0, 0]], 2), -14],
  ];
  for (const [what, arg, ret] of CHECKS) {
    it(`${what}: ${ret}, and nothing changes`, () => {
      const bench = activePartition();
      route(bench, table([[5, 0, 0, 1]]));
      assert.equal(route(bench, arg), ret);
      assert.equal(bench.cell('driver.mshv.partition[2].route[5].data'), 1n);
    });
  }
});
