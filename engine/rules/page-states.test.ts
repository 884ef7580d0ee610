import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { isolatedPages } from './page-states.ts';
import { hypercall, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

const SELF = '0xffffffffffffffff';
const BY = { component: 'paravisor' };
const GAP: Line = { kind: 'mark', what: 'gap', lost: 1 };

function findings(lines: readonly Line[], profile: Record<string, string> = {}) {
  return judge(told({ role: 'vtl-host', ...profile }, lines), [isolatedPages]).map(findingToJson);
}

function silent(lines: readonly Line[], profile?: Record<string, string>): void {
  assert.deepEqual(findings(lines, profile), []);
}

const ids = (lines: readonly Line[]): string[] => findings(lines).map(({ id }) => id);

const accept = (first: number, count: number): Line =>
  hypercall(
    'ACCEPT_GPA_PAGES',
    { partition_id: SELF, gpa_page_base: first },
    { ...BY, reps: count, done: count },
  );

function share(pages: readonly number[], extra: object = {}): Line {
  const input = { partition_id: SELF, host_visibility: 3, gpa_page_list: pages };
  const reps = { reps: pages.length, done: pages.length };
  return hypercall('MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY', input, { ...BY, ...reps, ...extra });
}
const REFUSED = { status: 'ACCESS_DENIED', done: 0 };

test('a page is accepted before its visibility changes', () => {
  silent([accept(0x10, 8), share([0x10, 0x17])]);
  const [finding] = findings([share([0x10], REFUSED), accept(0x10, 8)]);
  assert.equal(finding?.id, 'R28:paravisor:not-accepted');
  assert.deepEqual([finding?.at, finding?.evidence], ['1', ['1', '2']]);
  // It was never accepted, though others were; of the elements it is the one that was refused.
  assert.equal(findings([accept(0x10, 8), share([0x10, 0x20], { ...REFUSED, done: 1 })]).length, 1);
  silent([accept(0x10, 8), share([0x20, 0x10], { ...REFUSED, done: 1 })]);
  // Nobody accepts pages in this trace, or those that did may not be in it.
  silent([share([0x10], REFUSED)]);
  silent([accept(0x10, 8), share([0x20], REFUSED)], { initial: 'unknown' });
  silent([accept(0x10, 8), GAP, share([0x20], REFUSED)]);
});

const protect = (flags: readonly string[], pages: readonly number[], done = pages.length): Line =>
  hypercall(
    'MODIFY_VTL_PROTECTION_MASK',
    { partition_id: SELF, map_flags: flags, gpa_page_list: pages },
    { ...BY, reps: pages.length, done, ...(done === pages.length ? {} : { status: 'ACCESS_DENIED' }) },
  );
const OPEN = ['READABLE', 'WRITABLE'];
const page = (what: string, frame: number): Line => ({
  kind: 'page',
  what,
  page: 'ram',
  cpu: 0,
  component: 'paravisor',
  gpa: `0x${(frame * 4096).toString(16)}`,
});

test('a page that was closed to a lower VTL is opened before it is used again', () => {
  silent([protect([], [1, 2]), protect(OPEN, [1, 2]), page('free', 1)]);
  const [finding] = findings([protect([], [1, 2]), page('free', 2), protect(OPEN, [1, 2])]);
  assert.equal(finding?.id, 'R28:paravisor:frees:a lower VTL');
  assert.deepEqual(finding?.evidence, ['1', '2']);
  assert.deepEqual(ids([protect(['READABLE'], [1]), share([1])]), ['R28:paravisor:shares:a lower VTL']);
  // It stays closed; another page; a call that closed only the first.
  silent([protect([], [1, 2])]);
  silent([protect([], [1, 2]), page('free', 3)]);
  silent([protect([], [1, 2], 1), page('free', 2)]);
  silent([protect([], [1]), GAP, page('free', 1)]);
  // Both were closed, and only one is open again.
  assert.equal(findings([protect([], [1, 2]), protect(OPEN, [1]), page('free', 2)]).length, 1);
});

test('a page that the host cannot reach is acquired before it is given away', () => {
  const access = (name: string): Line =>
    hypercall(name, { partition_id: 2, spa_page_list: [7, 8] }, { reps: 2, done: 2 });
  const deposit = hypercall('DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: [8] }, { done: 1 });
  assert.deepEqual(ids([access('RELEASE_SPARSE_SPA_PAGE_HOST_ACCESS'), deposit]), [
    'R28:mshv:deposits:the host',
  ]);
  silent([
    access('RELEASE_SPARSE_SPA_PAGE_HOST_ACCESS'),
    access('ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS'),
    deposit,
  ]);
});
