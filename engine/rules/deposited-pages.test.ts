import assert from 'node:assert/strict';
import { test } from 'node:test';
import { depositedPages } from './deposited-pages.ts';
import { findingToJson } from './finding.ts';
import { interceptAccess } from './intercept-access.ts';
import { hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

function findings(...lines: readonly Line[]) {
  return judge(told({ role: 'root' }, lines), [depositedPages, interceptAccess]).map(findingToJson);
}

function silent(...lines: readonly Line[]): void {
  assert.deepEqual(findings(...lines), []);
}

const deposit = (pages: readonly number[], done = pages.length, status = 'SUCCESS'): Line =>
  hypercall('DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: pages }, { done, status });
const withdraw = (pages: readonly number[] | undefined, done: number): Line =>
  hypercall(
    'WITHDRAW_MEMORY',
    { partition_id: 2 },
    {
      reps: 8,
      done,
      status: 'NO_RESOURCES',
      ...(pages === undefined ? {} : { output: { gpa_page_list: pages } }),
    },
  );
const map = (pages: readonly number[], done: number, status: string): Line =>
  hypercall(
    'MAP_GPA_PAGES',
    { target_partition_id: 3, target_gpa_base: 0x10, map_flags: ['READABLE'], source_gpa_page_list: pages },
    { done, status },
  );

test('a page that is in a pool is not deposited or mapped', () => {
  const [finding] = findings(deposit([5, 6, 7]), deposit([9, 6], 1, 'OPERATION_DENIED'));
  assert.equal(finding?.id, 'R43:mshv:HVCALL_DEPOSIT_MEMORY');
  assert.deepEqual(finding?.evidence, ['1', '2']);
  assert.equal(findings(deposit([5, 6, 7]), map([6], 0, 'OBJECT_IN_USE')).length, 1);
  // Another page is refused; what was withdrawn is free, and so may be what was not recorded.
  silent(deposit([5, 6, 7]), deposit([6, 9], 1, 'OPERATION_DENIED'));
  silent(deposit([5, 6]), withdraw([6], 1), deposit([6], 0, 'OPERATION_DENIED'));
  silent(deposit([5, 6]), withdraw(undefined, 1), deposit([6], 0, 'OPERATION_DENIED'));
  assert.equal(findings(deposit([5, 6]), withdraw([6], 1), deposit([5], 0, 'OPERATION_DENIED')).length, 1);
  // Only what was taken is in the pool.
  silent(deposit([5, 6], 1, 'OBJECT_IN_USE'), deposit([6], 0, 'OPERATION_DENIED'));
  silent(deposit([5]), { kind: 'mark', what: 'gap', lost: 1 }, deposit([5], 0, 'OPERATION_DENIED'));
});

test('a page that is in a pool is not freed, handed out or written to', () => {
  const page = (what: string, frame: number, more: object = {}): Line => ({
    kind: 'page',
    what,
    page: 'ram',
    cpu: 0,
    component: 'mshv',
    gpa: frame * 4096,
    ...(what === 'write' ? { bytes: { '0x0': 'ff' } } : {}),
    ...more,
  });
  // The deposit took two of three: the kernel may free the third.
  const partial = deposit([5, 6, 7], 2, 'INSUFFICIENT_MEMORY');
  assert.deepEqual(
    findings(partial, page('free', 6), page('alloc', 5), page('write', 5)).map(({ id }) => id),
    ['R43:mshv:free', 'R43:mshv:alloc', 'R43:mshv:write'],
  );
  silent(partial, page('free', 7));
  silent(partial, withdraw([6, 5], 2), page('free', 6));
  silent(partial, page('write', 5, { cpu: undefined, component: 'guest', vp: '2.0' }));
});

test('an intercept is for accesses that its type has', () => {
  const install = (type: string, access: readonly string[] | number, status = 'INVALID_PARAMETER'): Line =>
    hypercall(
      'INSTALL_INTERCEPT',
      { partition_id: 2, access_type: access, intercept_type: `HV_INTERCEPT_TYPE_${type}` },
      { component: 'vmm', status },
    );
  const [finding] = findings(install('X64_CPUID', ['WRITE']));
  assert.equal(finding?.id, 'R42:vmm:X64_CPUID');
  assert.match(finding?.fix ?? '', /EXECUTE of X64_CPUID/);
  assert.equal(findings(install('X64_IO_PORT', ['READ', 'EXECUTE'])).length, 1);
  silent(install('X64_CPUID', ['EXECUTE']));
  silent(install('X64_CPUID', 0));
  silent(install('X64_CPUID', ['WRITE'], 'INVALID_PARTITION_STATE'));
  silent(install('X64_APIC_SMI', ['WRITE']));
  // The program that passed it through is to blame.
  const passed = { ...install('X64_MSR', ['EXECUTE']), component: 'mshv', parent: 1 };
  const [named] = findings(
    ioctl('partition:2', 'MSHV_ROOT_HVCALL', { arg: { code: 'HVCALL_INSTALL_INTERCEPT' }, tEnd: '50us' }),
    passed,
  );
  assert.deepEqual(named?.culprit, { at: '1', component: 'vmm' });
});
