import assert from 'node:assert/strict';
import { test } from 'node:test';
import { depositProtocol } from './deposit-protocol.ts';
import { findingToJson } from './finding.ts';
import { ACTIVE, hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

const VP = { partition_id: 2, vp_index: 0 };
const SELF = '0xffffffffffffffff';

function findings(lines: readonly Line[], profile: Record<string, string> = { role: 'root' }) {
  return judge(told(profile, lines), [depositProtocol]).map(findingToJson);
}

function silent(lines: readonly Line[], profile?: Record<string, string>): void {
  assert.deepEqual(findings(lines, profile), []);
}

const deposit = (partition: number | string, extra: object = {}): Line =>
  hypercall('DEPOSIT_MEMORY', { partition_id: partition, gpa_page_list: [0x900] }, { done: 1, ...extra });

/** A VP is created in an ioctl, which is event 4; what happens in it is given. */
function creating(ret: number, ...inside: readonly Line[]): Line[] {
  const within = inside.map((line) => ({ parent: 4, ...line }));
  return [
    ...ACTIVE,
    ioctl('partition:2', 'MSHV_CREATE_VP', { ret, tEnd: '50us' }),
    ...within,
    { returns: 4 },
  ];
}
const attempt = (status: string): Line => hypercall('CREATE_VP', VP, { status });
const ids = (lines: readonly Line[], profile?: Record<string, string>): string[] =>
  findings(lines, profile).map(({ id }) => id);

test('one failing status, one deposit to the right pool, the same call again', () => {
  silent(creating(5, attempt('INSUFFICIENT_MEMORY'), deposit(2), attempt('SUCCESS')));
  silent(creating(5, attempt('INSUFFICIENT_ROOT_MEMORY'), deposit(SELF), attempt('SUCCESS')));
  const rounds = Array.from({ length: 90 }, () => [attempt('INSUFFICIENT_MEMORY'), deposit(2)]).flat();
  silent(creating(5, ...rounds, attempt('SUCCESS')));
});

test('the root is short, and the guest gets the pages', () => {
  const wrong = [attempt('INSUFFICIENT_ROOT_MEMORY'), deposit(2), attempt('INSUFFICIENT_ROOT_MEMORY')];
  const [finding, ...others] = findings(creating(-12, ...wrong));
  assert.deepEqual(others, []);
  assert.equal(finding?.id, 'R09:mshv:wrong-pool');
  assert.deepEqual([finding?.at, finding?.evidence], ['6', ['5', '6']]);
  assert.match(finding?.fix ?? '', /own partition \(SELF\)/);
  // A kernel that is not root cannot help.
  silent(creating(-12, ...wrong), { role: 'l1vh' });
  assert.deepEqual(ids(creating(-12, attempt('INSUFFICIENT_MEMORY'), deposit(SELF))), [
    'R09:mshv:wrong-pool',
  ]);
});

test('contiguous pages are short: eight in a row', () => {
  const row = (count: number, step = 1): Line => {
    const list = Array.from({ length: count }, (_, index) => 0x900 + index * step);
    return hypercall('DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: list }, { done: count });
  };
  const short = attempt('INSUFFICIENT_CONTIGUOUS_MEMORY');
  silent(creating(5, short, row(8), attempt('SUCCESS')));
  assert.deepEqual(ids(creating(-12, short, row(1), short)), ['R09:mshv:scattered']);
  assert.deepEqual(ids(creating(-12, short, row(8, 2), short)), ['R09:mshv:scattered']);
  silent(creating(5, attempt('INSUFFICIENT_MEMORY'), row(1), attempt('SUCCESS')));
});

test('nobody deposits', () => {
  assert.deepEqual(ids(creating(-5, attempt('INSUFFICIENT_ROOT_MEMORY'))), ['R09:mshv:no-deposit']);
  silent(creating(-5, attempt('INSUFFICIENT_ROOT_MEMORY')), { role: 'l1vh' });
  // The kernel has no pages either, or may not give them.
  silent(creating(-12, attempt('INSUFFICIENT_ROOT_MEMORY')));
  silent(creating(-5, attempt('INSUFFICIENT_MEMORY'), deposit(2, { status: 'ACCESS_DENIED', done: 0 })));
  // The call again, with no more pages than before.
  const twice = [
    attempt('INSUFFICIENT_MEMORY'),
    attempt('INSUFFICIENT_MEMORY'),
    deposit(2),
    attempt('SUCCESS'),
  ];
  assert.deepEqual(ids(creating(5, ...twice)), ['R09:mshv:no-deposit']);
});

test('calls of several threads are not taken for one another', () => {
  const other = { partition_id: 3, vp_index: 0 };
  const of = (tid: number, line: Line): Line => ({ ...line, tid, pid: 7 });
  const short = 'INSUFFICIENT_MEMORY';
  const wrong = [attempt(short), deposit(3), attempt(short)];
  // One thread, two, and nobody knows which.
  assert.deepEqual(ids([...ACTIVE, ...wrong.map((line) => of(1, line))]), ['R09:mshv:wrong-pool']);
  silent([...ACTIVE, ...wrong.map((line, index) => of(index, line))]);
  silent([...ACTIVE, ...wrong]);
  // The same call about another partition is another call.
  const mixed = [attempt(short), hypercall('CREATE_VP', other, { status: short }), deposit(3)];
  silent([...ACTIVE, ...mixed.slice(0, 2).map((line) => of(1, line))]);
});

test('deposited and not made again: not where the program is told to', () => {
  assert.deepEqual(ids(creating(-5, attempt('INSUFFICIENT_MEMORY'), deposit(2))), ['R09:mshv:no-retry']);
  silent(creating(-11, attempt('INSUFFICIENT_MEMORY'), deposit(2)));
});

test('deposits without end', () => {
  const rounds = (count: number) =>
    Array.from({ length: count }, () => [attempt('INSUFFICIENT_MEMORY'), deposit(2)]).flat();
  assert.deepEqual(ids(creating(-12, ...rounds(511))), []);
  assert.deepEqual(ids(creating(-12, ...rounds(512))), ['R09:mshv:endless']);
});

test('a deposit has as many pages as it counts', () => {
  const pages = (...frames: readonly number[]): Line =>
    hypercall('DEPOSIT_MEMORY', { partition_id: 2, gpa_page_list: frames }, { done: frames.length });
  assert.deepEqual(ids([...ACTIVE, pages(0x200, 0x201, 0)]), ['R09:mshv:page-0']);
  silent([...ACTIVE, pages(0x200, 0x201)]);
});

const finalize = hypercall('FINALIZE_PARTITION', { partition_id: 2 });
const remove = hypercall('DELETE_PARTITION', { partition_id: 2 });
const withdraw = (status: string, done: number): Line =>
  hypercall('WITHDRAW_MEMORY', { partition_id: 2 }, { status, done, reps: 512 });

test('what was deposited is withdrawn before the partition is deleted', () => {
  assert.deepEqual(ids([...ACTIVE, finalize, remove]), ['R09:mshv:not-withdrawn']);
  assert.deepEqual(ids([...ACTIVE, finalize, withdraw('SUCCESS', 1), remove]), ['R09:mshv:not-withdrawn']);
  silent([...ACTIVE, finalize, withdraw('NO_RESOURCES', 2), remove]);
  silent([...ACTIVE, finalize, withdraw('SUCCESS', 1), withdraw('NO_RESOURCES', 1), remove]);
  // Where deposits may be missing from the trace nothing is owed.
  silent([...ACTIVE, { kind: 'mark', what: 'gap', lost: 1 }, finalize, remove]);
  silent([finalize, remove]);
});
