import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_KINDS } from '../trace/event.ts';
import { complete } from './complete.ts';
import { chosen, EVENTS, numbered, request, TABLE } from './fields.testing.ts';
import { readFilter } from './filter.ts';
import { fieldNamed } from './table.ts';

test('the events of these tests are of every kind', () => {
  assert.deepEqual(
    EVENT_KINDS.filter((kind) => !EVENTS.some((event) => event.kind === kind)),
    [],
  );
});

test('fields read what an event has', () => {
  const run = request('upstream', 'vp', 'MSHV_RUN_VP');
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['msr == HV_X64_MSR_SIMP', [1]],
    ['msr in {SIMP, SIEFP} || msr == 0x40000092', [1, 2]],
    ['msr ~ "SINT[0-9]+$"', [2]],
    ['op == write', [1, 12]],
    ['op == read', [2, 10]],
    ['op == open || op == partition-reset || op == note', [11, 13, 14]],
    ['op == HVMSG_X64_HALT', [9]],
    ['op == X64_HALT', [9]],
    ['op == MSHV_RUN_VP', [4, 5, 6]],
    ['op == RUN_VP', [4, 5, 6]],
    [`op == ${run}`, [4, 5, 6, 7, 8]],
    ['op ~ run_vp && kind != ioctl', []],
    ['kind == hypercall && op', []],
    ['code == HVCALL_CREATE_VP', [3]],
    ['code == CREATE_VP && code == 0x4e', [3]],
    ['status == HV_STATUS_INVALID_PARAMETER', [3]],
    ['status && status < 0x100', [3]],
    ['errno == EINVAL', [5]],
    ['errno', [5, 11]],
    ['ret < 0', [5, 11]],
    ['ret == 0', [4, 7, 8]],
    ['fault', [2]],
    ['fault == false', [1]],
    ['cpu == 0', [1, 3]],
    ['cpu', [2, 10]],
    ['vp == 2.0', [4, 5, 6, 7]],
    ['vp == 3', [9]],
    ['vp', [4, 5, 6, 7, 9]],
    ['partition == 2', [4, 5, 6, 7, 13]],
    [`partition >= ${1n << 63n}`, [9]],
    ['pid == 100 && tid != 101', []],
    ['handle == vp:2.0', [4, 5, 6, 7]],
    ['handle == device:1', [11]],
    ['handle ~ ^foreign', [8]],
    ['component == vmbus', [1]],
    ['component != vmbus', [2, 3]],
    ['provenance == observed && kind == mark', [14]],
    ['seq < 3 && t > 0', [2]],
    ['t == 1us', [2]],
    ['dur >= 5ms', [4]],
    ['dur < 5.001us', [3]],
    ['rule == R02', [2]],
    ['rule', [2]],
    ['under(1)', [3, 5]],
    ['under(3)', [5]],
    ['under(5) || under(0)', []],
    ['changes(cpu[*].synic)', [1]],
  ];
  for (const [text, seqs] of cases) assert.deepEqual(chosen(text), seqs, text);
});

test('one request number, two dialects: the name says which', () => {
  const upstream = request('upstream', 'partition', 'MSHV_SET_GUEST_MEMORY');
  assert.equal(request('rfc2020', 'partition', 'MSHV_MAP_GUEST_MEMORY'), upstream);
  const handle = { kind: 'partition', partition: 2n } as const;
  const events = numbered([
    { kind: 'ioctl', handle, op: upstream },
    { kind: 'ioctl', handle, op: upstream, dialect: 'rfc2020' },
  ]);
  assert.deepEqual(chosen('op == MSHV_SET_GUEST_MEMORY', events), [1]);
  assert.deepEqual(chosen('op == MSHV_MAP_GUEST_MEMORY', events), [2]);
  assert.deepEqual(chosen(`op == ${upstream}`, events), [1, 2]);
});

test('errors offer the names of the ABI', () => {
  const near = (text: string): readonly string[] => {
    const read = readFilter(text, TABLE);
    assert.ok(!read.ok, text);
    return read.error.expected;
  };
  assert.ok(near('msr == HV_X64_MSR_SIPM').includes('HV_X64_MSR_SIMP'));
  assert.ok(near('op == MSHV_RUNVP').includes('MSHV_RUN_VP'));
  assert.ok(near('errno == EINVALL').includes('EINVAL'));
  assert.deepEqual(near('vp == 2.x'), ['a VP such as 2.0, or an index']);
  assert.ok(near('handle == vp:x').includes('a handle such as device, partition:2 or vp:2.0'));
});

test('without a replay there is nothing to ask of state and findings', () => {
  const table = { ...TABLE, state: false, fields: TABLE.fields.filter((field) => field.name !== 'rule') };
  for (const text of ['changes(cpu[0].synic)', 'rule == R01'])
    assert.equal(readFilter(text, table).ok, false);
});

test('completion knows the names of the ABI', () => {
  const words = (text: string) => complete(text, text.length, TABLE).words;
  assert.deepEqual(words('msr == SIM'), ['HV_X64_MSR_SIMP', 'HV_X64_MSR_NESTED_SIMP']);
  assert.equal(words('op == MSHV_RUN')[0], 'MSHV_RUN_VP');
  assert.equal(words('component == v')[0], 'vmbus');
  assert.equal(words('changes(cpu[')[0], 'cpu[*].synic.scontrol');
});

test('every field has a line of description, and the hidden ones stay hidden', () => {
  for (const field of TABLE.fields) assert.ok(field.doc.length > 2, field.name);
  assert.equal(fieldNamed(TABLE, 'handlekind')?.hidden, true);
  assert.equal(readFilter('dialect == 0', TABLE).ok, false);
});
