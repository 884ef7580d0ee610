import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { repProgress } from './rep-progress.ts';
import { ACTIVE, hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

const ROOT = { role: 'root' };

function findings(...lines: readonly Line[]) {
  return judge(told(ROOT, lines), [repProgress]).map(findingToJson);
}

function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const ids = (...lines: readonly Line[]): string[] => findings(...lines).map(({ id }) => id);

const states = (base: number, reps: number, extra: object = {}): Line =>
  hypercall('GET_GPA_PAGES_ACCESS_STATES', { partition_id: 2, hv_gpa_page_number: base }, { reps, ...extra });
const SHORT = { status: 'INSUFFICIENT_MEMORY' };

test('the next call goes on behind what was asked for, and not behind what was done', () => {
  const [finding, ...others] = findings(states(0x1000, 64, { done: 40 }), states(0x1040, 64, { done: 64 }));
  assert.deepEqual(others, []);
  assert.equal(finding?.id, 'R07:mshv:skipped:HVCALL_GET_GPA_PAGES_ACCESS_STATES');
  assert.deepEqual([finding?.at, finding?.evidence], ['2', ['1', '2']]);
  silent(states(0x1000, 64, { done: 40 }), states(0x1028, 64, { done: 64 }));
  silent(states(0x1000, 64, { done: 40 }), states(0x1000, 64, { start: 40, done: 64 }));
  assert.deepEqual(
    ids(states(0x1000, 64, { done: 40 }), states(0x1000, 64, { start: 48, done: 64 })).length,
    1,
  );
  // Another range, another partition, all of it done.
  silent(states(0x1000, 64, { done: 40 }), states(0x8000, 64, { done: 64 }));
  silent(states(0x1000, 64, { done: 64 }), states(0x1040, 64, { done: 64 }));
  silent(
    states(0x1000, 64, { done: 40 }),
    hypercall(
      'GET_GPA_PAGES_ACCESS_STATES',
      { partition_id: 3, hv_gpa_page_number: 0x1040 },
      { reps: 4, done: 4 },
    ),
  );
});

const map = (base: number, list: readonly number[], extra: object = {}): Line =>
  hypercall(
    'MAP_GPA_PAGES',
    { target_partition_id: 2, target_gpa_base: base, map_flags: ['READABLE'], source_gpa_page_list: list },
    { done: list.length, ...extra },
  );
const unmap = (base: number, reps: number, extra: object = {}): Line =>
  hypercall(
    'UNMAP_GPA_PAGES',
    { target_partition_id: 2, target_gpa_base: base },
    { reps, done: reps, ...extra },
  );

test('a pool was short: the call again, from the element that was not done', () => {
  const list = [1, 2, 3, 4];
  assert.deepEqual(ids(map(0x10, list, { ...SHORT, done: 3 }), map(0x10, list)), [
    'R07:mshv:repeated:HVCALL_MAP_GPA_PAGES',
  ]);
  silent(map(0x10, list, { ...SHORT, done: 3 }), map(0x10, list, { start: 3 }));
  silent(map(0x10, list, { ...SHORT, done: 3 }), map(0x13, [4]));
  // Nothing was done, or it was taken back, or the call was refused for another reason.
  silent(map(0x10, list, { ...SHORT, done: 0 }), map(0x10, list));
  silent(map(0x10, list, { ...SHORT, done: 3 }), unmap(0x10, 3), map(0x10, list));
  silent(map(0x10, list, { status: 'INVALID_PARAMETER', done: 3 }), map(0x10, list));
});

test('what another thread does while a call has not returned is another matter', () => {
  const asked = (tid: number): Line => ioctl('vp:2.0', 'MSHV_RUN_VP', { tid, ret: 0, tEnd: '90us' });
  const within = (parent: number, line: Line): Line => ({ ...line, parent });
  const first = map(0x10, [1, 2, 3, 4], { ...SHORT, done: 3 });
  silent(asked(1), asked(2), within(1, first), within(2, map(0x14, [5, 6])));
  assert.equal(findings(asked(1), asked(2), within(1, first), within(1, map(0x14, [5, 6]))).length, 1);
  assert.equal(
    findings(asked(1), asked(2), within(1, first), { returns: 1 }, { returns: 2 }, map(0x14, [5, 6])).length,
    1,
  );
});

test('a list without a base: the same list again from its start', () => {
  const visible = (list: readonly number[], extra: object = {}): Line =>
    hypercall(
      'MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY',
      { partition_id: '0xffffffffffffffff', host_visibility: 3, gpa_page_list: list },
      { reps: list.length, done: list.length, ...extra },
    );
  const list = [7, 9, 12];
  assert.equal(findings(visible(list, { ...SHORT, done: 2 }), visible(list)).length, 1);
  silent(visible(list, { ...SHORT, done: 2 }), visible(list, { start: 2 }));
  silent(visible(list, { ...SHORT, done: 2 }), visible([12]));
});

const SET = { arg: { guest_pfn: 0x10, size: 0x4000, userspace_addr: 0x10000 }, tEnd: '80us' };

test('what was mapped before a failure is unmapped, no more and no less', () => {
  const failing = (...inside: readonly Line[]): Line[] => [
    ...ACTIVE,
    ioctl('partition:2', 'MSHV_SET_GUEST_MEMORY', { ...SET, ret: -22 }),
    ...inside.map((line) => ({ parent: 4, ...line })),
    { returns: 4 },
  ];
  const broken = [map(0x10, [1, 2]), map(0x12, [3, 4], { status: 'INVALID_PARAMETER', done: 1 })];
  silent(...failing(...broken, unmap(0x10, 3)));
  silent(...failing(...broken, unmap(0x10, 2), unmap(0x12, 1)));
  for (const undo of [[], [unmap(0x10, 2)], [unmap(0x10, 4)], [unmap(0x11, 2)]]) {
    assert.deepEqual(ids(...failing(...broken, ...undo)), ['R07:mshv:undo'], JSON.stringify(undo));
  }
  silent(...failing(map(0x10, [1, 2], { status: 'INVALID_PARAMETER', done: 0 })));
});

test('who passes a call on answers with the count that it got', () => {
  const input = { partition_id: '0xffffffffffffffff', host_visibility: 3, gpa_page_list: [1, 2, 3, 4] };
  const call = (who: object, done: number): Line =>
    hypercall('MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY', input, {
      reps: 4,
      status: 'ACCESS_DENIED',
      done,
      tEnd: '50us',
      ...who,
    });
  const guest = { component: 'guest', vp: '0.0', cpu: undefined };
  const below = { component: 'paravisor', tEnd: undefined };
  assert.deepEqual(ids(call(guest, 0), call(below, 3)), [
    'R07:paravisor:answer:HVCALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY',
  ]);
  silent(call(guest, 3), call(below, 3));
  // The second call takes back what the first completed.
  silent(call(guest, 0), call(below, 3), call(below, 3));
});

test('mshv answers MSHV_ROOT_HVCALL with the elements that were completed', () => {
  const passed = (told: number): Line[] => [
    ioctl('vp:2.0', 'MSHV_ROOT_HVCALL', {
      arg: { code: 'HVCALL_GET_VP_REGISTERS', reps: 2, in_sz: 24, in_ptr: 1 },
      out: { arg: { code: 'HVCALL_GET_VP_REGISTERS', reps: told } },
      ret: 0,
      tEnd: '50us',
    }),
    hypercall('GET_VP_REGISTERS', { partition_id: 2, names: ['RIP', 'RSP'] }, { done: 2, parent: 1 }),
    { returns: 1 },
  ];
  silent(...passed(2));
  assert.deepEqual(ids(...passed(0)), ['R07:mshv:answer:HVCALL_GET_VP_REGISTERS']);
});

const get = (names: readonly string[], extra: object = {}): Line =>
  hypercall(
    'GET_VP_REGISTERS',
    { partition_id: 2, names },
    { component: 'vmm', done: names.length, ...extra },
  );
const REFUSED = { status: 'INVALID_PARAMETER' };

test('registers behind one that was refused are asked for again', () => {
  const batch = ['RIP', 'HV_X64_REGISTER_GHCB', 'RSP'];
  const [finding] = findings(get(batch, { ...REFUSED, done: 1 }));
  assert.equal(finding?.severity, 'warning');
  assert.match(
    finding?.title ?? '',
    /ends at HV_X64_REGISTER_GHCB \(HV_STATUS_INVALID_PARAMETER\); the 1 behind it/,
  );
  silent(get(batch, { ...REFUSED, done: 1 }), get(['RIP', 'RSP']));
  silent(get(batch, { ...REFUSED, done: 1 }), get(['RSP']));
  silent(get(batch, { ...REFUSED, done: 2 }));
  // One register a call.
  silent(get(['HV_X64_REGISTER_GHCB'], { ...REFUSED, done: 0 }));
});
