import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { partitionPhase } from './partition-phase.ts';
import { ACTIVE, hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

const ROOT = { role: 'root' };
const STATE = { status: 'INVALID_PARTITION_STATE' };
const VP = { partition_id: 2, vp_index: 0 };
const property = (code: string, value: number, extra = {}): Line =>
  hypercall('SET_PARTITION_PROPERTY', { partition_id: 2, property_code: code, property_value: value }, extra);

function findings(...lines: readonly Line[]) {
  return judge(told(ROOT, lines), [partitionPhase]).map(findingToJson);
}

function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

test('a VP is created before the partition is initialized: it is the program that asked for it', () => {
  const early = (state: object): Line[] => [
    hypercall('CREATE_PARTITION', {}, { output: { partition_id: 2 } }),
    ioctl('partition:2', 'MSHV_CREATE_VP', { arg: { vp_index: 0 } }),
    hypercall('CREATE_VP', VP, { parent: 2, ...state }),
  ];
  const [finding, ...others] = findings(...early(STATE));
  assert.deepEqual(others, []);
  assert.equal(finding?.id, 'R10:vmm:HVCALL_CREATE_VP:uninitialized');
  assert.deepEqual(finding?.culprit, { at: '2', component: 'vmm' });
  assert.deepEqual(finding?.evidence, ['1', '2', '3']);
  assert.match(finding?.fix ?? '', /after it was initialized/);
  // What the hypervisor took is in no wrong phase: we may not know them all.
  silent(...early({}));
  silent(...ACTIVE, hypercall('CREATE_VP', VP));
});

test('nothing is known of a partition whose creation is not in the trace, or stands before a gap', () => {
  silent(hypercall('CREATE_VP', VP, STATE));
  silent(ACTIVE[0] as Line, { kind: 'mark', what: 'gap', lost: 3 }, hypercall('CREATE_VP', VP, STATE));
  silent(ACTIVE[0] as Line, hypercall('CREATE_VP', VP, { ...STATE, component: 'guest', vp: '5.0' }));
});

test('many calls in one phase are one finding, which the first names; after the end the id means nothing', () => {
  const gone = { status: 'INVALID_PARTITION_ID' };
  const end = [
    ...ACTIVE,
    hypercall('FINALIZE_PARTITION', { partition_id: 2 }),
    hypercall('DELETE_PARTITION', { partition_id: 2 }),
  ];
  const ids = findings(
    ...end,
    hypercall('GET_VP_REGISTERS', { ...VP, names: ['RIP'] }, gone),
    hypercall('GET_VP_REGISTERS', { ...VP, names: ['RIP'] }, gone),
    hypercall('CREATE_VP', VP, gone),
  ).map(({ id }) => id);
  assert.deepEqual(ids, ['R10:mshv:HVCALL_GET_VP_REGISTERS:deleted']);
  // The number is given again: it is another partition.
  silent(...end, ...ACTIVE, hypercall('GET_VP_REGISTERS', { ...VP, names: ['RIP'] }));
});

test('legal out of the order: giving up before initialization, memory unmapped after finalization', () => {
  silent(
    ACTIVE[0] as Line,
    ACTIVE[1] as Line,
    hypercall('WITHDRAW_MEMORY', { partition_id: 2 }, { status: 'NO_RESOURCES', done: 2 }),
    hypercall('DELETE_PARTITION', { partition_id: 2 }),
  );
  const unmap = { target_partition_id: 2, target_gpa_base: 0x10 };
  silent(
    ...ACTIVE,
    hypercall('FINALIZE_PARTITION', { partition_id: 2 }),
    hypercall('UNMAP_GPA_PAGES', unmap, { ...STATE, reps: 1 }),
  );
  assert.equal(
    findings(ACTIVE[0] as Line, hypercall('UNMAP_GPA_PAGES', unmap, { ...STATE, reps: 1 })).length,
    1,
  );
});

test('the reference time is set while time stands still, and at no other time', () => {
  const [finding] = findings(...ACTIVE, property('REFERENCE_TIME', 5, STATE));
  assert.equal(finding?.id, 'R10:mshv:reference-time');
  assert.equal(findings(...ACTIVE, property('REFERENCE_TIME', 5)).length, 1);
  const frozen = [...ACTIVE, property('TIME_FREEZE', 1)];
  silent(...frozen, property('REFERENCE_TIME', 5));
  silent(...frozen, property('REFERENCE_TIME', 5), property('REFERENCE_TIME', 6), property('TIME_FREEZE', 0));
  assert.equal(findings(...frozen, property('TIME_FREEZE', 0), property('REFERENCE_TIME', 5)).length, 1);
});

test('a VP runs while time stands still: a warning; not once it goes on', () => {
  const run = ioctl('vp:2.0', 'MSHV_RUN_VP', { ret: 0 });
  const frozen = [...ACTIVE, property('TIME_FREEZE', 1)];
  const found = findings(...frozen, run, run);
  assert.deepEqual(
    found.map(({ id, severity, evidence }) => [id, severity, evidence]),
    [['R10:vmm:frozen', 'warning', ['4', '5']]],
  );
  silent(...frozen, property('TIME_FREEZE', 0), run);
});

test('privileges come before initialization', () => {
  const [finding] = findings(...ACTIVE, property('PRIVILEGE_FLAGS', 1, STATE));
  assert.match(finding?.title ?? '', /PRIVILEGE_FLAGS of a partition that is active/);
  silent(ACTIVE[0] as Line, property('PRIVILEGE_FLAGS', 1));
});
