import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { registers } from '../abi/index.ts';
import type { Handle } from '../trace/handle.ts';
import type { JsonObject } from '../trace/text/json.ts';
import type { Bench } from './bench.testing.ts';
import { activePartition, DEVICE, hypercallsOf, PARTITION, request, u32, VP } from './guest.testing.ts';

const OP = request('partition', 'MSHV_ROOT_HVCALL');
const GET_PROPERTY = 0x44;
const SET_PROPERTY = 0x45;
const GET_REGISTERS = 0x50;
const SET_REGISTERS = 0x51;

interface Given {
  readonly code?: number;
  readonly reps?: number;
  readonly inSize?: number;
  readonly outSize?: number;
  readonly status?: number;
  readonly reserved?: number;
  readonly input?: bigint;
  readonly output?: bigint;
}

function argOf(given: Given): Uint8Array {
  const { code = GET_PROPERTY, reps = 0, inSize = 16, outSize = 8, status = 0, reserved = 0 } = given;
  const { input = 0x1000n, output = 0x2000n } = given;
  const arg = new Uint8Array(32);
  const view = new DataView(arg.buffer);
  [code, reps, inSize, outSize, status].forEach((value, i) => {
    view.setUint16(i * 2, value, true);
  });
  arg[15] = reserved;
  view.setBigUint64(16, input, true);
  view.setBigUint64(24, output, true);
  return arg;
}

function propertyInput(code: number, value?: bigint): Uint8Array {
  const input = new Uint8Array(value === undefined ? 16 : 24);
  const view = new DataView(input.buffer);
  view.setBigUint64(0, 0xbadn, true);
  view.setUint32(8, code, true);
  if (value !== undefined) view.setBigUint64(16, value, true);
  return input;
}

function call(bench: Bench, handle: Handle, arg: Uint8Array, input?: Uint8Array) {
  return bench.ioctl({ handle, op: OP, arg, pid: 7, ...(input === undefined ? {} : { in: input }) });
}

describe('MSHV_ROOT_HVCALL', () => {
  /** Descriptor, argument, result. Source: Linux 7.2 drivers/hv/mshv_root_main.c, mshv_ioctl_passthru_hvcall. */
  const CHECKS: readonly (readonly [what: string, Handle, Given, number])[] = [
    ['a property', PARTITION, {}, 0],
    ['a property of the own partition', DEVICE, {}, 0],
    ['a status', PARTITION, { status: 1 }, -22],
    ['no input', PARTITION, { input: 0n }, -22],
    ['too little input', PARTITION, { inSize: 7 }, -22],
    ['too much input', PARTITION, { inSize: 4097 }, -22],
    ['a reserved byte', PARTITION, { reserved: 1 }, -22],
    ['an output of nothing', PARTITION, { outSize: 0 }, -22],
    ['an output of more than a page', PARTITION, { outSize: 4097 }, -22],
    ['no output at all', PARTITION, { output: 0n, outSize: 0 }, 0],
    ['a call that is not in the list', PARTITION, { code: 0x41 }, -22],
    ['an unknown call', PARTITION, { code: 0x7fff }, -22],
    ['registers on the device', DEVICE, { code: GET_REGISTERS }, -22],
    ['setting a property on a VP', VP, { code: SET_PROPERTY }, -22],
    ['setting a property on the device', DEVICE, { code: SET_PROPERTY }, -22],
    ['a rep call without repetitions', PARTITION, { code: GET_REGISTERS }, -22],
    ['more repetitions than the word has bits for', PARTITION, { code: GET_REGISTERS, reps: 0x1001 }, -22],
  ];
  for (const [what, handle, given, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => {
      const bench = activePartition({}, true, 1);
      const { outcome } = call(bench, handle, argOf(given), propertyInput(0x10001));
      assert.equal(outcome?.ret, ret);
    });
  }

  it('reads and sets properties; the id is always that of the partition', () => {
    const bench = activePartition();
    const set = call(
      bench,
      PARTITION,
      argOf({ code: SET_PROPERTY, inSize: 24 }),
      propertyInput(0x50003, 0x55n),
    );
    assert.deepEqual(hypercallsOf(set.lines), ['SET_PARTITION_PROPERTY SUCCESS']);
    assert.equal(bench.cell('partition[2].property[0x50003]'), 0x55n);
    const got = call(bench, PARTITION, argOf({ outSize: 16 }), propertyInput(0x50003));
    const data = new Uint8Array(16);
    data[0] = 0x55;
    assert.deepEqual(got.outcome?.out?.data, data);
  });

  it('writes status and repetitions back, the output only when all went well', () => {
    const bench = activePartition({}, true, 1);
    const input = new Uint8Array(24);
    new DataView(input.buffer).setUint32(16, registers.number('RIP'), true);
    new DataView(input.buffer).setUint32(20, 0x7777_7777, true);
    const arg = argOf({ code: GET_REGISTERS, reps: 2, inSize: 24, outSize: 32 });
    const { outcome } = call(bench, VP, arg, input);
    assert.equal(outcome?.ret, -22);
    assert.equal(outcome?.out?.data, undefined);
    assert.deepEqual([outcome?.out?.arg?.[2], outcome?.out?.arg?.[8]], [1, 5]);
    const one = call(bench, VP, argOf({ code: GET_REGISTERS, reps: 1, inSize: 24, outSize: 16 }), input);
    assert.deepEqual([one.outcome?.ret, one.outcome?.out?.arg?.[2]], [0, 1]);
    assert.equal(
      new DataView(one.outcome?.out?.data?.slice().buffer ?? new ArrayBuffer(8)).getUint16(0, true),
      0xfff0,
    );
  });

  it('sets registers on a VP', () => {
    const bench = activePartition({}, true, 1);
    const input = new Uint8Array(48);
    new DataView(input.buffer).setUint32(16, registers.number('RBX'), true);
    input[32] = 9;
    const arg = argOf({ code: SET_REGISTERS, reps: 1, inSize: 48, output: 0n, outSize: 0 });
    assert.equal(call(bench, VP, arg, input).outcome?.ret, 0);
    assert.equal(bench.cell('partition[2].vp[0].reg.rbx'), 9n);
  });

  it('an input that cannot be read: EFAULT', () => {
    const bench = activePartition();
    assert.equal(call(bench, PARTITION, argOf({})).outcome?.ret, -14);
  });

  it('what lies behind the output is whatever the page held', () => {
    const bench = activePartition();
    const data = new Uint8Array(16).fill(7, 8);
    const arg = argOf({ outSize: 16 });
    const recorded = {
      handle: PARTITION,
      op: OP,
      arg,
      in: propertyInput(0x10001),
      ret: 0,
      out: { arg, data },
    };
    assert.deepEqual(bench.ioctl(recorded).outcome?.out?.data, data);
    assert.equal(bench.machine.bound['page-rest'], 1);
  });

  it('a call of which nobody can know the answer is left to the record', () => {
    const bench = activePartition({}, true, 1);
    // The guest may have switched its SynIC on unseen.
    const message = new Uint8Array(280).fill(1, 20, 21);
    const arg = argOf({ code: 0xc1, inSize: 280, output: 0n, outSize: 0 });
    const recorded = { handle: VP, op: OP, arg, in: message, ret: 0, out: { arg } };
    assert.deepEqual(bench.ioctl(recorded).outcome, { ret: 0, out: { arg }, rule: 'unmodelled' });
  });
});

describe('a kernel without memory', () => {
  const call = (given: JsonObject, ret: number) => {
    const bench = activePartition(given);
    const arg = u32(0);
    return [
      bench.ioctl({ handle: PARTITION, op: request('partition', 'MSHV_CREATE_VP'), arg, ret, pid: 7 }),
      bench,
    ] as const;
  };
  it('ENOMEM is taken from the record, and nothing was done', () => {
    const [{ lines, outcome }, bench] = call({}, -12);
    assert.deepEqual([lines, outcome], [[], { ret: -12, rule: 'Linux.mshv.out-of-memory' }]);
    assert.equal(bench.machine.bound.allocator, 1);
  });

  it('is checked where the profile has the pages', () => {
    const [{ outcome }, bench] = call({ depositablePages: 1000 }, -12);
    assert.notEqual(outcome?.ret, -12);
    assert.equal(bench.machine.bound.allocator, undefined);
  });
});
