import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { gpaMap } from './gpa-map.ts';
import { largePages } from './large-pages.ts';
import { ACTIVE, hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

const PAGE = 4096;

function findings(lines: readonly Line[], profile: Record<string, string> = {}) {
  return judge(told({ role: 'root', ...profile }, lines), [gpaMap, largePages]).map(findingToJson);
}

function silent(lines: readonly Line[], profile?: Record<string, string>): void {
  assert.deepEqual(findings(lines, profile), []);
}

const ids = (lines: readonly Line[], profile?: Record<string, string>): string[] =>
  findings(lines, profile).map(({ id }) => id);

/** A region is mapped, or with flag UNMAP unmapped: `ret` when the call returns. */
type Memory = readonly [first: number, pages: number, address: number, ret: number, flag?: string];
const MAPPED: Memory = [0x100, 0x100, 0x1000_0000, 0];

function memory(...calls: readonly Memory[]): Line[] {
  return calls.flatMap(([first, pages, address, ret, flag = 'WRITABLE'], index) => [
    ioctl('partition:2', 'MSHV_SET_GUEST_MEMORY', {
      arg: { guest_pfn: first, size: pages * PAGE, userspace_addr: address, flags: [flag] },
      ret,
      tEnd: '100us',
    }),
    { returns: index + 1 },
  ]);
}

test('a region that shares a frame with another is accepted', () => {
  for (const [first, pages] of [
    [0x80, 0x300],
    [0x180, 1],
    [0x80, 0x81],
    [0x1ff, 0x10],
    [0x100, 0x100],
  ] as const) {
    const found = findings(memory(MAPPED, [first, pages, 0x9000_0000, 0]));
    assert.deepEqual(
      found.map(({ id, culprit, evidence }) => [id, culprit, evidence]),
      [['R11:mshv:overlap', { at: '2', component: 'mshv' }, ['1', '2']]],
      `${first}`,
    );
  }
  // They touch; it is refused; what was there is unmapped; the user address alone is the same.
  silent(memory(MAPPED, [0x200, 0x10, 0x2000_0000, 0], [0xf0, 0x10, 0x3000_0000, 0]));
  silent(memory(MAPPED, [0x80, 0x300, 0x2000_0000, -17]));
  silent(memory(MAPPED, [0x100, 0x100, 0x1000_0000, 0, 'UNMAP'], [0x80, 0x300, 0x2000_0000, 0]));
  silent(memory(MAPPED, [0x300, 0x100, 0x1000_0000, 0]));
});

test('what is unmapped was mapped so', () => {
  const second: Memory = [0x200, 0x60, 0x1010_0000, 0];
  const unmap = (first: number, pages: number, ret: number): Memory => [
    first,
    pages,
    0x1000_0000,
    ret,
    'UNMAP',
  ];
  const [finding] = findings(memory(MAPPED, second, unmap(0x100, 0x160, -22)));
  assert.equal(finding?.id, 'R11:vmm:unmap:several');
  assert.deepEqual(finding?.evidence, ['1', '2', '3']);
  assert.match(finding?.fix ?? '', /0x100 to 0x1ff, 0x200 to 0x25f/);
  assert.deepEqual(ids(memory(MAPPED, unmap(0x100, 0x80, -22))), ['R11:vmm:unmap:part']);
  assert.deepEqual(ids(memory(MAPPED, unmap(0x800, 0x80, -2))), ['R11:vmm:unmap:none']);
  silent(memory(MAPPED, second, unmap(0x100, 0x100, 0)));
  // It was interrupted, or failed for a reason of its own.
  silent(memory(MAPPED, unmap(0x100, 0x80, -4)));
  silent(memory(MAPPED, unmap(0x100, 0x100, -22)));
  // It may have been mapped before the recording began.
  silent(memory(unmap(0x800, 0x80, -2)), { initial: 'unknown' });
  silent([{ kind: 'mark', what: 'gap', lost: 1 }, ...memory(MAPPED).slice(0, 1)]);
});

const map = (base: number, list: readonly number[], extra: object = {}): Line =>
  hypercall(
    'MAP_GPA_PAGES',
    { target_partition_id: 2, target_gpa_base: base, map_flags: ['READABLE'], source_gpa_page_list: list },
    { done: list.length, ...extra },
  );

test('each frame that can be accessed has a page behind it', () => {
  assert.deepEqual(ids([...ACTIVE, map(0x10, [5, 6, 0, 0])]), ['R11:mshv:list:zero']);
  silent([...ACTIVE, map(0x10, [5, 6, 7, 8])]);
  silent([
    ...ACTIVE,
    hypercall(
      'MAP_GPA_PAGES',
      {
        target_partition_id: 2,
        target_gpa_base: 0x10,
        map_flags: ['NO_ACCESS'],
        source_gpa_page_list: [0, 0],
      },
      { done: 2 },
    ),
  ]);
});

test('a list does not end as the list before did, of other frames', () => {
  const [finding] = findings([map(0x10, [5, 6, 7, 8]), map(0x20, [9, 10, 7, 8])]);
  assert.equal(finding?.id, 'R11:mshv:list:stale');
  assert.deepEqual(finding?.evidence, ['1', '2']);
  // All of it on purpose, in other places, of the same frames, unmapped before, or on another CPU.
  silent([map(0x10, [5, 6, 7, 8]), map(0x20, [5, 6, 7, 8])]);
  silent([map(0x10, [5, 6, 7, 8]), map(0x20, [7, 8, 9, 10])]);
  silent([map(0x10, [5, 6, 7, 8]), map(0x10, [9, 10, 7, 8])]);
  const unmap = hypercall(
    'UNMAP_GPA_PAGES',
    { target_partition_id: 2, target_gpa_base: 0x10 },
    { reps: 4, done: 4 },
  );
  silent([map(0x10, [5, 6, 7, 8]), unmap, map(0x20, [9, 10, 7, 8])]);
  silent([map(0x10, [5, 6, 7, 8]), map(0x20, [9, 10, 7, 8], { cpu: 1 })]);
});

test('pages of 2 MiB are named by their first frames', () => {
  const large = (base: number, list: readonly number[]): Line =>
    hypercall(
      'MAP_GPA_PAGES',
      {
        target_partition_id: 2,
        target_gpa_base: base,
        map_flags: ['READABLE', 'LARGE_PAGE'],
        source_gpa_page_list: list,
      },
      { status: 'INVALID_PARAMETER', done: 0 },
    );
  const [finding] = findings([large(0x400, [0x1000, 0x1001])]);
  assert.equal(finding?.id, 'R41:mshv');
  assert.match(finding?.title ?? '', /element 1/);
  assert.deepEqual(ids([large(0x401, [0x1000])]), ['R41:mshv']);
  silent([large(0x400, [0x1000, 0x1200, 0x8000])]);
  silent([map(0x401, [0x1000, 0x1001])]);
});
