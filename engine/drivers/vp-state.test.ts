import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bench } from './bench.testing.ts';
import { activePartition, hypercallsOf, PARTITION, request, VP } from './guest.testing.ts';

const GET = request('vp', 'MSHV_GET_VP_STATE');
const SET = request('vp', 'MSHV_SET_VP_STATE');
const ROUTING = request('partition', 'MSHV_SET_MSI_ROUTING');
const RUN = request('vp', 'MSHV_RUN_VP');

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
    assert.deepEqual(hypercallsOf(set(bench, {}, state).lines), ['SET_VP_STATE SUCCESS']);
    const wrong = { out: { data: new Uint8Array(4096) }, ret: 0, pid: 7 };
    const ask = () => bench.ioctl({ handle: VP, op: GET, arg: argOf({}), ...wrong }).outcome?.out?.data;
    assert.deepEqual(ask(), state);
    bench.ioctl({ handle: VP, op: RUN, pid: 7 });
    assert.deepEqual(ask(), wrong.out.data);
    assert.equal(bench.machine.bound['vp-state'], 1);
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
