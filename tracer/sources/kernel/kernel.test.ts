import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DECLARED } from './declared.testing.ts';
import { Meanings, TRACE_POINTS } from './meanings.ts';
import { PROBES } from './probes.ts';
import type { Fields, Told } from './told.ts';

const TID = 7;
const NOTHING = { hasIoctls: false, hasHypercalls: false };

function fieldsOf(values: Readonly<Record<string, bigint>>): Fields {
  return (name) => values[name];
}

function tell(
  name: string,
  values: Readonly<Record<string, bigint>>,
  meanings = new Meanings(NOTHING),
): Told | undefined {
  const row = TRACE_POINTS.find((candidate) => candidate.name === name);
  assert.ok(row !== undefined, name);
  return meanings.tell(row, fieldsOf(values), TID);
}

/** The body of an event or entry. */
function body(name: string, values: Readonly<Record<string, bigint>>, meanings?: Meanings): object {
  const told = tell(name, values, meanings);
  assert.ok(told !== undefined && told.kind !== 'return', name);
  return told.body;
}

test('every trace point has a row with a reason, and its fields are those that the kernel declares', () => {
  assert.equal(DECLARED.filter(({ system }) => system === 'mshv').length, 24);
  assert.deepEqual(
    TRACE_POINTS.map(({ system, name }) => `${system}:${name}`).sort(),
    DECLARED.map(({ system, name }) => `${system}:${name}`).sort(),
  );
  for (const row of TRACE_POINTS) {
    const fields = DECLARED.find(({ name }) => name === row.name)?.fields.map(([, name]) => name) ?? [];
    for (const { name } of row.fields) assert.ok(fields.includes(name), `${row.name}: ${name}`);
    assert.ok(row.why.length >= 10, row.name);
  }
  for (const { symbol, row } of PROBES) assert.ok(row.why.length >= 10, symbol);
});

test('any record becomes something or nothing: no value makes a row throw', () => {
  const rows = [...TRACE_POINTS, ...PROBES.map(({ row }) => row)];
  const value = fc.oneof(fc.bigInt(-(1n << 63n), (1n << 64n) - 1n), fc.constantFrom(0n, 1n, -1n));
  fc.assert(
    fc.property(fc.constantFrom(...rows), fc.array(fc.option(value, { nil: undefined })), (row, values) => {
      const names = row.fields.map(({ name }) => name);
      new Meanings(NOTHING).tell(row, (name) => values[names.indexOf(name)], undefined);
    }),
  );
});

test("mshv: what a record says in full becomes the call, the rest a note in the kernel's words", () => {
  assert.deepEqual(tell('mshv_create_partition', { partition_id: 5n, vm_fd: 9n }), {
    kind: 'event',
    body: { kind: 'mark', what: 'note', text: 'mshv_create_partition: partition_id=5 vm_fd=9' },
  });
  assert.deepEqual(body('mshv_hvcall_delete_partition', { partition_id: 5n, status: 0x7n }), {
    kind: 'hypercall',
    control: 0x1_0043n,
    input: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0),
    result: { status: 7, reps: 0 },
  });
  assert.deepEqual(body('mshv_create_vp', { partition_id: 5n, vp_index: 2n, vp_fd: 11n }), {
    kind: 'ioctl',
    handle: { kind: 'partition', partition: 5n },
    op: 0x4004_b801,
    arg: Uint8Array.of(2, 0, 0, 0),
    ret: 11,
    out: { handle: { kind: 'vp', partition: 5n, vp: 2 } },
  });
  const failed = body('mshv_create_vp', { partition_id: 5n, vp_index: 2n, vp_fd: -22n });
  assert.ok('ret' in failed && failed.ret === -22 && !('out' in failed));
});

test('mshv: memory that is given has its argument, with the flags of the call', () => {
  const values = { partition_id: 5n, start_uaddr: 0x7f00_0000n, start_gfn: 0x100n, nr_pages: 2n, ret: -12n };
  const argOf = (flags: bigint): Uint8Array => {
    const event = body('mshv_map_user_memory', { ...values, map_flags: flags });
    assert.ok('arg' in event && event.arg instanceof Uint8Array && 'ret' in event && event.ret === -12);
    return event.arg;
  };
  const arg = argOf(0x1n);
  const view = new DataView(arg.buffer);
  assert.deepEqual(
    [view.getBigUint64(0, true), view.getBigUint64(8, true), view.getBigUint64(16, true), arg[24]],
    [0x2000n, 0x100n, 0x7f00_0000n, 0],
  );
  assert.deepEqual([argOf(0x3n)[24], argOf(0xdn)[24], argOf(0x800fn)[24]], [1, 2, 3]);
});

test('mshv: RUN_VP is an entry and a return, with the type of the message', () => {
  const vp = { partition_id: 5n, vp_index: 0n };
  assert.deepEqual(tell('mshv_run_vp_entry', vp), {
    kind: 'entry',
    call: 'run-vp',
    body: { kind: 'ioctl', handle: { kind: 'vp', partition: 5n, vp: 0 }, op: 0x8100_b800 },
  });
  assert.deepEqual(tell('mshv_run_vp_exit', { ...vp, hv_message_type: 0x8001_0000n, ret: 0n }), {
    kind: 'return',
    call: 'run-vp',
    answer: { ret: 0, out: { data: Uint8Array.of(0, 0, 1, 0x80) } },
  });
  assert.deepEqual(tell('mshv_run_vp_exit', { ...vp, hv_message_type: 0n, ret: -4n }), {
    kind: 'return',
    call: 'run-vp',
    answer: { ret: -4 },
  });
});

test('mshv: what other means record in full is a note', () => {
  const both = new Meanings({ hasIoctls: true, hasHypercalls: true });
  const vp = { partition_id: 5n, vp_index: 2n };
  for (const [name, values] of [
    ['mshv_create_vp', { ...vp, vp_fd: 11n }],
    ['mshv_run_vp_entry', vp],
    ['mshv_run_vp_exit', { ...vp, hv_message_type: 0n, ret: 0n }],
    ['mshv_hvcall_initialize_partition', { partition_id: 5n, status: 0n }],
  ] as const) {
    const event = body(name, values, both);
    assert.ok('text' in event && String(event.text).startsWith(`${name}: partition_id=5`), name);
  }
});

test('kvm: the VP of an access is the one that its thread was last seen to run', () => {
  const meanings = new Meanings(NOTHING);
  const write = { write: 1n, ecx: 0x4000_0091n, data: 0n, exception: 1n };
  const event = { kind: 'msr', component: 'guest', dir: 'write', msr: 0x4000_0091, value: 0n, fault: true };
  assert.deepEqual(body('kvm_msr', write, meanings), {
    ...event,
    vp: { partition: undefined, vp: undefined },
  });
  const set = { vcpu_id: 3n, msr: 0x4000_0091n, data: 0n };
  assert.equal(tell('kvm_hv_synic_set_msr', { ...set, host: 0n }, meanings), undefined);
  assert.deepEqual(body('kvm_msr', write, meanings), { ...event, vp: { partition: undefined, vp: 3 } });
  assert.deepEqual(body('kvm_hv_synic_set_msr', { ...set, vcpu_id: 9n, host: 1n }, meanings), {
    kind: 'msr',
    component: 'vmm',
    dir: 'write',
    msr: 0x4000_0091,
    value: 0n,
    vp: { partition: undefined, vp: 9 },
  });
  const after = body('kvm_msr', write, meanings);
  assert.ok('vp' in after);
  assert.deepEqual(after.vp, { partition: undefined, vp: 3 });
});

test('kvm: a hypercall has its control word, and of a fast one its input', () => {
  const call = { code: 0x5cn, var_cnt: 0n, rep_cnt: 0n, rep_idx: 0n, ingpa: 1n, outgpa: 2n };
  assert.deepEqual(tell('kvm_hv_hypercall', { ...call, fast: 1n }), {
    kind: 'entry',
    call: 'guest-hypercall',
    body: {
      kind: 'hypercall',
      component: 'guest',
      vp: { partition: undefined, vp: undefined },
      control: 0x1_005cn,
      input: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0),
    },
  });
  const slow = body('kvm_hv_hypercall', { ...call, fast: 0n, rep_cnt: 3n, rep_idx: 1n, var_cnt: 2n });
  assert.ok('control' in slow && 'inputGpa' in slow && !('input' in slow));
  assert.equal(slow.control, 0x0001_0003_0004_005cn);
  assert.deepEqual(tell('kvm_hv_hypercall_done', { result: 0x0002_0000_0005n }), {
    kind: 'return',
    call: 'guest-hypercall',
    answer: { result: { status: 5, reps: 2 } },
  });
});

test('kvm: the interrupt of a SINT, unless it was not delivered', () => {
  const irq = { vcpu_id: 1n, sint: 2n, vector: 0xf3n };
  assert.deepEqual(body('kvm_hv_synic_set_irq', { ...irq, ret: 1n }), {
    kind: 'message',
    what: 'interrupt',
    vp: { partition: undefined, vp: 1 },
    sint: 2,
    vector: 0xf3,
  });
  const refused = body('kvm_hv_synic_set_irq', { ...irq, ret: -1n });
  assert.ok('text' in refused && refused.text === 'kvm_hv_synic_set_irq: vcpu_id=1 sint=2 vector=243 ret=-1');
});

test('msr: a fault is told where the kernel saw one', () => {
  const read = { msr: 0x4000_0083n, val: 0x102_0010_0001n };
  const event = { kind: 'msr', dir: 'read', msr: 0x4000_0083, value: 0x102_0010_0001n };
  assert.deepEqual(body('read_msr', { ...read, failed: 0n }), event);
  assert.deepEqual(body('read_msr', { ...read, failed: 1n }), { ...event, fault: true });
  assert.equal(tell('rdpmc', { msr: 1n, val: 1n, failed: 0n }), undefined);
});
