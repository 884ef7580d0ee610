import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bench } from './bench.testing.ts';
import { DEVICE, hypercallsOf, PARTITION, request, u32, VP } from './guest.testing.ts';

const op = (fd: 'device' | 'partition' | 'vp', name: string) => request(fd, `MSHV_${name}`, 'rfc2020');
const XSAVE = 0x8000_0001;
const LAPIC_BYTES = 176;

interface Given {
  readonly type?: number;
  readonly size?: bigint;
  readonly pointer?: bigint;
}

function argOf({ type = 0, size = 4096n, pointer = 0x1000n }: Given): Uint8Array {
  const arg = new Uint8Array(40);
  const view = new DataView(arg.buffer);
  view.setUint32(0, type, true);
  view.setBigUint64(16, 7n, true);
  view.setBigUint64(24, size, true);
  view.setBigUint64(32, pointer, true);
  return arg;
}

function vp(): Bench {
  const bench = new Bench({ kernel: 'rfc2020', role: 'root', cpus: 1 });
  bench.ioctl({ handle: DEVICE, op: op('device', 'REQUEST_VERSION'), arg: u32(0), pid: 7 });
  bench.ioctl({ handle: DEVICE, op: op('device', 'CREATE_PARTITION'), arg: new Uint8Array(40), pid: 7 });
  bench.ioctl({ handle: PARTITION, op: op('partition', 'CREATE_VP'), arg: u32(0), pid: 7 });
  return bench;
}
const run = (bench: Bench) => bench.ioctl({ handle: VP, op: op('vp', 'RUN_VP'), pid: 7 });
const get = (bench: Bench, given: Given, recorded?: Uint8Array) => {
  const shown = recorded === undefined ? {} : { ret: 0, out: { data: recorded } };
  return bench.ioctl({ handle: VP, op: op('vp', 'GET_VP_STATE'), arg: argOf(given), pid: 7, ...shown });
};
const set = (bench: Bench, given: Given, bytes?: Uint8Array) => {
  const input = bytes === undefined ? {} : { in: bytes };
  return bench.ioctl({ handle: VP, op: op('vp', 'SET_VP_STATE'), arg: argOf(given), pid: 7, ...input });
};

describe('state of a VP of the RFC', () => {
  /** Source: patches to linux-hyperv of 2020, mshv_vp_ioctl_get_set_state. */
  const CHECKS: readonly (readonly [what: string, Given, number])[] = [
    ['the LAPIC', {}, 0],
    ['the LAPIC in a buffer that is as long', { size: 176n, pointer: 0x1008n }, 0],
    ['the LAPIC in a shorter one', { size: 175n }, -22],
    ['XSAVE', { type: XSAVE }, 0],
    ['XSAVE in no page', { type: XSAVE, size: 0n }, -22],
    ['XSAVE in half a page', { type: XSAVE, size: 2048n }, -22],
    ['XSAVE at an address inside a page', { type: XSAVE, pointer: 0x1008n }, -22],
    ['XSAVE in more pages than a call lists', { type: XSAVE, size: 508n * 4096n }, -22],
    ['XSAVE where memory ends', { type: XSAVE, pointer: 0xffff_ffff_ffff_f000n }, -14],
    ['the message page', { type: 0x8000_0002 }, -22],
    ['timers', { type: 4 }, -22],
  ];
  for (const [what, given, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => assert.equal(get(vp(), given).outcome?.ret, ret));
  }

  it('the LAPIC travels in the call, and is as it was after reset', () => {
    const { lines, outcome } = get(vp(), {});
    assert.deepEqual(hypercallsOf(lines), ['GET_VP_STATE SUCCESS']);
    const data = outcome?.out?.data ?? new Uint8Array(0);
    assert.deepEqual([data.length, data[4], data[5], outcome?.out?.arg], [LAPIC_BYTES, 0x14, 0, undefined]);
  });

  it('what was set is read back until the guest has run, then the record says', () => {
    for (const [given, length] of [
      [{}, LAPIC_BYTES],
      [{ type: XSAVE }, 4096],
    ] as const) {
      const bench = vp();
      const ask = (record: number) =>
        get(bench, given, new Uint8Array(length).fill(record)).outcome?.out?.data?.[9];
      const { lines } = set(bench, given, new Uint8Array(4096).fill(3));
      assert.deepEqual(hypercallsOf(lines), ['SET_VP_STATE SUCCESS']);
      assert.equal(ask(8), 3);
      run(bench);
      assert.equal(ask(9), 9);
      assert.equal(ask(10), 9);
    }
  });

  it('a buffer that cannot be read: EFAULT', () => {
    assert.equal(set(vp(), {}).outcome?.ret, -14);
  });
});
