import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingToJson } from './finding.ts';
import { pairing } from './pairing.ts';
import { ACTIVE, hypercall, ioctl, type Line, told } from './told.testing.ts';
import { judge } from './traffic.testing.ts';

function findings(lines: readonly Line[], profile: Record<string, string> = {}) {
  return judge(told({ role: 'root', ...profile }, lines), [pairing]).map(findingToJson);
}

function silent(lines: readonly Line[], profile?: Record<string, string>): void {
  assert.deepEqual(findings(lines, profile), []);
}

const ids = (lines: readonly Line[]): string[] => findings(lines).map(({ id }) => id);

const PAGE = { partition_id: 2, vp_index: 0, type: 'HV_VP_STATE_PAGE_REGISTERS' };
const stats = (area: string): object => ({
  type: 'HV_STATS_OBJECT_VP',
  identity: { vp: { partition_id: 2, vp_index: 0, stats_area_type: area } },
});
const SELF_AREA = stats('HV_STATS_AREA_SELF') as Record<string, unknown>;
const REFUSED = { status: 'INVALID_PARAMETER' };
const FINALIZE = hypercall('FINALIZE_PARTITION', { partition_id: 2 });

test('pages that are mapped are unmapped before the partition is finalized', () => {
  const mapped = [...ACTIVE, hypercall('MAP_VP_STATE_PAGE', PAGE), hypercall('MAP_STATS_PAGE', SELF_AREA)];
  const unmapped = [hypercall('UNMAP_STATS_PAGE', SELF_AREA), hypercall('UNMAP_VP_STATE_PAGE', PAGE)];
  silent([...mapped, ...unmapped, FINALIZE]);
  silent(mapped);
  assert.deepEqual(ids([...mapped, FINALIZE]), [
    'R15:mshv:finalized:state page',
    'R15:mshv:finalized:statistics page',
  ]);
  const [finding] = findings([...mapped, unmapped[0] as Line, FINALIZE]);
  assert.deepEqual([finding?.at, finding?.evidence], ['7', ['4', '7']]);
  // What finalization takes away; the drivers of 2020; what a gap hides.
  silent([...ACTIVE, hypercall('CREATE_VP', { partition_id: 2, vp_index: 0 }), FINALIZE]);
  silent([...mapped, FINALIZE], { kernel: 'rfc2020' });
  silent([...mapped, { kind: 'mark', what: 'gap', lost: 1 }, FINALIZE]);
});

test('a connection is cut before its partition is finalized', () => {
  const connection = { connection_partition_id: 2, connection_id: { id: 3 } };
  const connect = hypercall('CONNECT_PORT', { ...connection, port_partition_id: 1, port_id: { id: 3 } });
  silent([...ACTIVE, connect, hypercall('DISCONNECT_PORT', connection), FINALIZE]);
  assert.deepEqual(ids([...ACTIVE, connect, FINALIZE]), ['R15:mshv:finalized:connection']);
});

test('nothing is taken or given back twice', () => {
  const map = hypercall('MAP_STATS_PAGE', SELF_AREA);
  const unmap = hypercall('UNMAP_STATS_PAGE', SELF_AREA);
  const again = hypercall('MAP_STATS_PAGE', SELF_AREA, { status: 'OPERATION_DENIED' });
  assert.deepEqual(ids([...ACTIVE, map, again]), ['R15:mshv:twice:statistics page']);
  silent([...ACTIVE, map, unmap, map]);
  // There is no area of the parent: another page; the pool is short: the call again.
  silent([...ACTIVE, map, hypercall('MAP_STATS_PAGE', { ...stats('HV_STATS_AREA_PARENT') }, REFUSED)]);
  silent([...ACTIVE, hypercall('MAP_STATS_PAGE', SELF_AREA, { status: 'INSUFFICIENT_MEMORY' }), map]);
  const unmapAgain = hypercall('UNMAP_STATS_PAGE', SELF_AREA, REFUSED);
  assert.deepEqual(ids([...ACTIVE, map, unmap, unmapAgain]), ['R15:mshv:unpaired:statistics page']);
  // Of a partition that was there before it may have been mapped then.
  silent([unmapAgain]);
});

test('a port of the own partition is deleted once', () => {
  const port = { port_partition_id: '0xffffffffffffffff', port_id: { id: 1 } };
  const made = hypercall('CREATE_PORT', { ...port, connection_partition_id: 2 });
  const gone = hypercall('DELETE_PORT', port);
  const again = hypercall('DELETE_PORT', port, { status: 'INVALID_PORT_ID' });
  silent([...ACTIVE, made, gone]);
  assert.deepEqual(ids([...ACTIVE, made, gone, again]), ['R15:mshv:unpaired:port']);
  // It may have been there before.
  assert.deepEqual(findings([...ACTIVE, again], { initial: 'unknown' }), []);
  silent([...ACTIVE, { kind: 'mark', what: 'gap', lost: 1 }, again]);
});

/** A program makes a partition and a VP, and maps a page of it. */
const MADE: readonly Line[] = [
  ioctl('device', 'MSHV_CREATE_PARTITION', { ret: 4, out: { handle: 'partition:2' }, tEnd: '100us' }),
  { returns: 1 },
  ioctl('partition:2', 'MSHV_CREATE_VP', {
    arg: { vp_index: 0 },
    ret: 5,
    out: { handle: 'vp:2.0' },
    tEnd: '100us',
  }),
  { returns: 2 },
];
const fd = (what: string, handle: string, extra: object = {}): Line => ({
  kind: 'fd',
  component: 'vmm',
  pid: 7,
  tid: 7,
  what,
  handle,
  ret: 0,
  ...extra,
});
const MMAP = fd('mmap', 'vp:2.0', { addr: 0x5000, size: 0x1000, offset: 0 });
const CLOSED: readonly Line[] = [fd('close', 'vp:2.0'), fd('close', 'partition:2')];

test('a page of a VP that stays mapped keeps the partition', () => {
  const [finding] = findings([...MADE, MMAP, ...CLOSED]);
  assert.equal(finding?.id, 'R15:vmm:mapping');
  assert.deepEqual([finding?.culprit.at, finding?.at], ['3', '5']);
  silent([...MADE, MMAP, fd('munmap', 'vp:2.0', { addr: 0x5000, size: 0x1000 }), ...CLOSED]);
  silent([...MADE, fd('mmap', 'vp:2.0', { addr: 0x5000, size: 0x1000, offset: 0, ret: -19 }), ...CLOSED]);
  silent([...MADE, MMAP, CLOSED[0] as Line]);
  // A second descriptor; another process; the process has gone; the partition has.
  silent([...MADE, MMAP, fd('dup', 'vp:2.0', { fd: 9 }), ...CLOSED]);
  silent([...MADE, MMAP, fd('dup', 'vp:2.0', { pid: 8 }), fd('close', 'vp:2.0', { pid: 8 }), ...CLOSED]);
  silent([...MADE, MMAP, ...CLOSED, { kind: 'lifecycle', what: 'process-exit', pid: 7 }]);
  silent([...MADE, MMAP, ...CLOSED, FINALIZE]);
});
