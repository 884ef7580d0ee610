import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entry, page } from '../tracefs/pages.testing.ts';
import { FRAMES, WrittenKernel } from './machine.testing.ts';

const SIMP = 0x4000_0083;
const SCONTROL = 0x4000_0080;

/** The events of a kernel without what all of them have. */
function linesOf(kernel: WrittenKernel): unknown[] {
  return kernel.text().map((line) => {
    const { provenance, ...rest } = JSON.parse(line) as Record<string, unknown>;
    assert.equal(provenance, 'observed');
    return rest;
  });
}

const stack = (frame: bigint, tid = 21) => ({
  event: 'kernel_stack',
  tid,
  after: 1,
  values: { size: 2, caller: [FRAMES.arch, frame] },
});

test('accesses to synthetic MSRs have time, CPU, process, and the component that the stack names', () => {
  const kernel = new WrittenKernel();
  kernel.page(1, 500, [
    { event: 'read_msr', tid: 21, after: 0, values: { msr: SIMP, val: 0x1000_0001n } },
    stack(FRAMES.vmbus),
    { event: 'write_msr', tid: 21, after: 9, values: { msr: SIMP, val: 0n } },
    stack(FRAMES.mshv),
    { event: 'write_msr', tid: 21, after: 9, values: { msr: 0x4000_00b0, val: 1n, failed: 1 } },
    stack(FRAMES.timer),
    { event: 'write_msr', tid: 21, after: 9, values: { msr: 0x4000_0070, val: 0n } },
    stack(FRAMES.arch),
  ]);
  const of = { cpu: 1, pid: 20, tid: 21, kind: 'msr', fault: null };
  assert.deepEqual(linesOf(kernel), [
    {
      t: '500ns',
      ...of,
      component: 'vmbus',
      dir: 'read',
      msr: 'HV_X64_MSR_SIMP',
      value: '0x10000001',
    },
    { t: '510ns', ...of, component: 'mshv', dir: 'write', msr: 'HV_X64_MSR_SIMP', value: '0x0' },
    {
      ...{ t: '520ns', ...of, component: 'timer', dir: 'write', msr: 'HV_X64_MSR_STIMER0_CONFIG' },
      ...{ value: '0x1', fault: true },
    },
    { t: '530ns', ...of, component: 'arch', dir: 'write', msr: 'HV_X64_MSR_EOI', value: '0x0' },
  ]);
});

test('a stack of another thread, or a second one, belongs to nothing', () => {
  const kernel = new WrittenKernel();
  kernel.page(0, 0, [
    { event: 'write_msr', tid: 21, after: 0, values: { msr: SIMP, val: 0n } },
    stack(FRAMES.mshv, 22),
    stack(FRAMES.vmbus),
    stack(FRAMES.mshv),
  ]);
  const [event] = linesOf(kernel);
  assert.ok(event instanceof Object && 'component' in event && event.component === 'vmbus');
});

test('CPUs are put into one order by time', () => {
  const kernel = new WrittenKernel();
  const at = (after: number, val: bigint) => ({
    event: 'write_msr',
    tid: 21,
    after,
    values: { msr: SIMP, val },
  });
  kernel.page(1, 10, [at(0, 2n), at(20, 4n)]);
  kernel.page(0, 5, [at(0, 1n), at(15, 3n)]);
  assert.deepEqual(
    linesOf(kernel).map((line) => (line as { value: string }).value),
    ['0x1', '0x2', '0x3', '0x4'],
  );
});

test("hypercalls are an entry and a result, also where one interrupts another thread's", () => {
  const kernel = new WrittenKernel();
  kernel.page(0, 0, [
    {
      ...{ event: 'hv_std_hypercall', tid: 31, after: 0 },
      values: { control: 0x40, input: 0x1f3_a000, output: 0x1f3_b000 },
    },
    { event: 'hv_std_hypercall', tid: 41, after: 5, values: { control: 0x1_0043, input: 7, output: 0 } },
    { event: 'hv_std_hypercall:return', tid: 41, after: 5, values: { ret: 6n } },
    { event: 'hv_std_hypercall:return', tid: 31, after: 5, values: { ret: 0n } },
    { event: 'hv_std_hypercall:return', tid: 51, after: 5, values: { ret: 0n } },
  ]);
  const of = { cpu: 0, kind: 'hypercall', fault: null };
  assert.deepEqual(linesOf(kernel), [
    {
      ...{ t: '0', ...of, pid: 30, tid: 31, code: 'HVCALL_CREATE_PARTITION' },
      ...{
        inputGpa: '0x1f3a000',
        outputGpa: '0x1f3b000',
        result: { status: 'HV_STATUS_SUCCESS' },
        tEnd: '15ns',
      },
    },
    {
      ...{ t: '5ns', ...of, pid: 40, tid: 41, code: 'HVCALL_DELETE_PARTITION', fast: true },
      ...{ input: { partition_id: '0x7' } },
      ...{ result: { status: 'HV_STATUS_ACCESS_DENIED' }, tEnd: '10ns' },
    },
  ]);
});

test('writes that have no trace point come from the probe, and VMBus says when it takes and leaves a SynIC', () => {
  const kernel = new WrittenKernel();
  kernel.page(2, 0, [
    { event: 'hv_synic_init', tid: 21, after: 0, values: { cpu: 2 } },
    { event: 'read_msr', tid: 21, after: 1, values: { msr: SIMP, val: 0n } },
    { event: 'hv_set_non_nested_msr', tid: 21, after: 1, values: { reg: SIMP, value: 0x5001 } },
    stack(FRAMES.vmbus),
    { event: 'hv_synic_init:return', tid: 21, after: 1, values: { ret: 0 } },
  ]);
  const of = { cpu: 2, pid: 20, tid: 21 };
  assert.deepEqual(linesOf(kernel), [
    {
      ...{ t: '0', ...of, component: 'vmbus', kind: 'lifecycle', what: 'component-start' },
      phase: 'begin',
    },
    { t: '1ns', ...of, kind: 'msr', dir: 'read', msr: 'HV_X64_MSR_SIMP', value: '0x0', fault: null },
    {
      ...{ t: '2ns', ...of, component: 'vmbus', kind: 'msr', dir: 'write', msr: 'HV_X64_MSR_SIMP' },
      ...{ value: '0x5001', fault: null },
    },
    {
      ...{ t: '4ns', ...of, component: 'vmbus', kind: 'lifecycle', what: 'component-start' },
      ...{ phase: 'end', ret: 0 },
    },
  ]);
});

test('a write that the probe and a trace point see is one; another one, or a refused one, is its own', () => {
  const kernel = new WrittenKernel();
  const probed = (tid: number, value: number) => ({
    ...{ event: 'hv_set_non_nested_msr', tid, after: 1 },
    values: { reg: SIMP, value },
  });
  const written = (tid: number, val: number, failed = 0, msr = SIMP) => ({
    ...{ event: 'write_msr', tid, after: 5 },
    values: { msr, val: BigInt(val), failed },
  });
  kernel.page(0, 0, [
    ...[probed(21, 1), stack(FRAMES.mshv), written(21, 1), stack(FRAMES.mshv)],
    ...[written(21, 1), probed(21, 2), written(22, 2), written(21, 2)],
    ...[probed(21, 3), written(21, 3, 1), probed(21, 4), written(21, 4, 0, SCONTROL)],
  ]);
  const seen = linesOf(kernel).map((line) => {
    const { tid, msr, value, fault } = line as Record<string, unknown>;
    return `${tid} ${String(msr).replace('HV_X64_MSR_', '')} ${value}${fault === true ? ' #GP' : ''}`;
  });
  assert.deepEqual(seen, [
    ...['21 SIMP 0x1', '21 SIMP 0x1'],
    ...['21 SIMP 0x2', '22 SIMP 0x2'],
    ...['21 SIMP 0x3', '21 SIMP 0x3 #GP', '21 SIMP 0x4', '21 SCONTROL 0x4'],
  ]);
});

test('reads of SynIC MSRs without a write say that writes are not seen, once', () => {
  const read = (msr: number) => ({ event: 'read_msr', tid: 21, after: 1, values: { msr, val: 1n } });
  const write = { event: 'write_msr', tid: 21, after: 1, values: { msr: SIMP, val: 0n } };
  const gaps = (records: readonly Parameters<WrittenKernel['page']>[2][number][]): number => {
    const kernel = new WrittenKernel();
    kernel.page(0, 0, records);
    return linesOf(kernel).filter((line) => (line as { what?: string }).what === 'gap').length;
  };
  assert.equal(gaps([read(SIMP), read(SCONTROL), read(SCONTROL)]), 1);
  assert.equal(gaps([read(SIMP)]), 1);
  assert.equal(gaps([read(SIMP), write, read(SIMP), read(SCONTROL)]), 0);
  assert.equal(gaps([read(0x4000_0001), read(0x4000_0001)]), 0);
  assert.equal(gaps([read(0x4000_1083), read(0x4000_1080)]), 1);
});

test('what was lost, and bytes that are no record, are marks', () => {
  const kernel = new WrittenKernel();
  const write = { event: 'write_msr', tid: 21, after: 0, values: { msr: SIMP, val: 0n } };
  kernel.page(3, 100, [write], 77);
  kernel.page(3, 200, [write], 'many');
  kernel.raw(3, page(1_000_300, [entry(0, new Uint8Array(8)), Uint8Array.of(2, 0, 0, 0)]));
  const marks = linesOf(kernel).filter((line) => (line as { kind: string }).kind === 'mark');
  assert.deepEqual(marks, [
    {
      t: '100ns',
      cpu: 3,
      kind: 'mark',
      what: 'gap',
      text: 'lost in the kernel: its buffer was full',
      lost: 77,
    },
    {
      t: '200ns',
      cpu: 3,
      kind: 'mark',
      what: 'gap',
      text: 'lost in the kernel: its buffer was full',
    },
    { t: '300ns', cpu: 3, kind: 'mark', what: 'gap', text: '4 bytes of the buffer are no record' },
  ]);
});

test('a run of the mshv driver and of a guest on KVM, as event text', () => {
  const kernel = new WrittenKernel();
  const vp = { partition_id: 5, vp_index: 0 };
  kernel.page(0, 0, [
    { event: 'mshv_create_vp', tid: 61, after: 0, values: { ...vp, vp_fd: 9 } },
    { event: 'mshv_run_vp_entry', tid: 61, after: 10, values: vp },
    { event: 'mshv_vp_wait_for_hv_kick', tid: 61, after: 10, values: { ...vp, blocked: 1 } },
    {
      event: 'mshv_run_vp_exit',
      tid: 61,
      after: 10,
      values: { ...vp, hv_message_type: 0x8001_0000, ret: 0 },
    },
    { event: 'kvm_hv_synic_set_msr', tid: 71, after: 10, values: { vcpu_id: 3, msr: SCONTROL, data: 1 } },
    { event: 'kvm_msr', tid: 71, after: 10, values: { write: 1, ecx: SCONTROL, data: 1 } },
  ]);
  const mshv = { cpu: 0, pid: 60, tid: 61 };
  const guest = { cpu: 0, component: 'guest', pid: 70, tid: 71 };
  assert.deepEqual(linesOf(kernel), [
    {
      ...{ t: '0', ...mshv, kind: 'ioctl', handle: 'partition:5', op: 'MSHV_CREATE_VP' },
      ...{ arg: { vp_index: 0 }, ret: 9, out: { handle: 'vp:5.0' } },
    },
    {
      ...{ t: '10ns', ...mshv, kind: 'ioctl', handle: 'vp:5.0', op: 'MSHV_RUN_VP' },
      ...{ out: { bytes: '00000180' }, ret: 0, tEnd: '30ns' },
    },
    {
      ...{ t: '20ns', ...mshv, vp: '5.0', kind: 'mark', what: 'note' },
      text: 'mshv_vp_wait_for_hv_kick: partition_id=5 vp_index=0 kicked_by_hv=0 blocked=1 irq_pending=0',
    },
    {
      ...{ t: '50ns', ...guest, vp: '?.3', kind: 'msr', dir: 'write', msr: 'HV_X64_MSR_SCONTROL' },
      value: '0x1',
    },
  ]);
});
