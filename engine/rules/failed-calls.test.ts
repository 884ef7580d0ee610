import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failedCalls } from './failed-calls.ts';
import { findingToJson } from './finding.ts';
import { ACTIVE, hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

const VP = { partition_id: 2, vp_index: 0 };
const PAGE = { ...VP, type: 'HV_VP_STATE_PAGE_REGISTERS' };
const CREATE = hypercall('CREATE_VP', VP);
const MAP = hypercall('MAP_VP_STATE_PAGE', PAGE);

/** What a call to create a VP does, and how it ends. */
function findings(ret: number | null | undefined, ...inside: readonly Line[]) {
  const answer = ret === undefined ? {} : { ret };
  const lines = [
    ...ACTIVE,
    ioctl('partition:2', 'MSHV_CREATE_VP', { ...answer, tEnd: '90us' }),
    ...inside.map((line) => ({ parent: 4, ...line })),
    { returns: 4 },
  ];
  return judge(told({ role: 'root' }, lines), [failedCalls]).map(findingToJson);
}

test('what a call has made before it fails is undone', () => {
  const [finding] = findings(-12, CREATE);
  assert.equal(finding?.id, 'R44:mshv:HVCALL_CREATE_VP');
  assert.deepEqual([finding?.culprit.at, finding?.at], ['5', '4r']);
  assert.deepEqual(
    findings(-12, CREATE, MAP, hypercall('DELETE_VP', VP)).map(({ id }) => id),
    ['R44:mshv:HVCALL_MAP_VP_STATE_PAGE'],
  );
  assert.deepEqual(
    findings(-12, CREATE, MAP, hypercall('UNMAP_VP_STATE_PAGE', PAGE), hypercall('DELETE_VP', VP)),
    [],
  );
  // It succeeded; it made nothing; nobody knows how it ended.
  assert.deepEqual(findings(5, CREATE, MAP), []);
  assert.deepEqual(findings(-12, { ...CREATE, result: { status: 'INVALID_VP_INDEX' } }), []);
  assert.deepEqual(findings(undefined, CREATE), []);
});

test('a partition that was created in a call that fails is deleted', () => {
  const create = (last: readonly Line[]) => {
    const lines = [
      ioctl('device', 'MSHV_CREATE_PARTITION', { ret: -12, tEnd: '90us' }),
      hypercall('CREATE_PARTITION', {}, { output: { partition_id: 2 }, parent: 1 }),
      ...last,
      { returns: 1 },
    ];
    return judge(told({ role: 'root' }, lines), [failedCalls]).length;
  };
  assert.equal(create([]), 1);
  assert.equal(create([hypercall('DELETE_PARTITION', { partition_id: 2 }, { parent: 1 })]), 0);
});

test('a call that hands out one partition creates one', () => {
  const created = (partition_id: number, extra: object = {}): Line =>
    hypercall('CREATE_PARTITION', {}, { output: { partition_id }, parent: 1, ...extra });
  const within = (...inside: readonly Line[]) => {
    const call = ioctl('device', 'MSHV_CREATE_PARTITION', { ret: 4, tEnd: '90us' });
    const lines = [call, ...inside, { returns: 1 }];
    return judge(told({ role: 'root' }, lines), [failedCalls]).map(findingToJson);
  };
  const [finding] = within(created(2), created(3));
  assert.equal(finding?.id, 'R44:mshv:HVCALL_CREATE_PARTITION:twice');
  assert.deepEqual([finding?.culprit.at, finding?.at, finding?.evidence], ['3', '1r', ['2', '3', '1r']]);
  assert.deepEqual(within(created(2)), []);
  assert.deepEqual(within(created(2, { status: 'INSUFFICIENT_MEMORY', output: undefined }), created(2)), []);
  const gone = hypercall('DELETE_PARTITION', { partition_id: 2 }, { parent: 1 });
  assert.deepEqual(within(created(2), gone, created(3)), []);
});
