import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bench } from './bench.testing.ts';
import { activePartition, hypercallsOf, memoryArg, PARTITION, request } from './guest.testing.ts';

const OP = request('partition', 'MSHV_SET_GUEST_MEMORY');
const set = (bench: Bench, arg: Uint8Array, ret?: number) =>
  bench.ioctl({ handle: PARTITION, op: OP, arg, pid: 7, ...(ret === undefined ? {} : { ret }) });

describe('MSHV_SET_GUEST_MEMORY', () => {
  /** Size, first frame, address, flags, a byte of the reserved ones, result. Source: mshv_partition_ioctl_set_memory. */
  const CHECKS: readonly (readonly [string, Parameters<typeof memoryArg>[0], number])[] = [
    ['a page', {}, 0],
    ['writable and executable', { flags: 3 }, 0],
    ['no size', { size: 0n }, -22],
    ['half a page', { size: 0x800n }, -22],
    ['an address inside a page', { address: 0x7000_0000_0008n }, -22],
    ['an unknown flag', { flags: 8 }, -22],
    ['a reserved byte', { reserved: 1 }, -22],
    ['the place of another region', { frame: 0x100n }, -17],
    ['a place that reaches into another region', { frame: 0xffn, size: 0x2000n }, -17],
    ['unmap where nothing is', { frame: 0x50n, flags: 4 }, -2],
    ['unmap a part', { frame: 0x100n, size: 0x1000n, flags: 4 }, -22],
    ['unmap from inside', { frame: 0x101n, size: 0x1000n, flags: 4 }, -22],
    ['unmap with another address', { frame: 0x100n, size: 0x2000n, address: 0n, flags: 4 }, -22],
    ['unmap', { frame: 0x100n, size: 0x2000n, flags: 4 }, 0],
    ['more than there is', { frame: 0x1000n, size: 1n << 40n }, -12],
  ];
  for (const [what, given, ret] of CHECKS) {
    it(`${what}: ${ret}`, () => {
      const bench = activePartition();
      assert.equal(set(bench, memoryArg({ frame: 0x100n, size: 0x2000n })).outcome?.ret, 0);
      assert.equal(set(bench, memoryArg(given)).outcome?.ret, ret);
    });
  }

  it('reserves the whole range without access, 509 pages a call', () => {
    const bench = activePartition();
    const { lines } = set(bench, memoryArg({ frame: 0n, size: 0x40_0000n }));
    assert.deepEqual(hypercallsOf(lines), [
      'MAP_GPA_PAGES SUCCESS 509',
      'MAP_GPA_PAGES SUCCESS 509',
      'MAP_GPA_PAGES SUCCESS 6',
    ]);
    assert.equal(bench.cell('partition[2].gpa[0x0].pages'), 1024n);
    assert.equal(bench.cell('partition[2].gpa[0x0].flags'), 0x1_0000n);
    assert.equal(bench.cell('driver.mshv.partition[2].region[0x0].flags'), 0x8001n);
  });

  it('unmaps 512 pages a call', () => {
    const bench = activePartition({ mmuNotifier: false });
    set(bench, memoryArg({ frame: 0n, size: 0x40_0000n }));
    const { lines } = set(bench, memoryArg({ frame: 0n, size: 0x40_0000n, flags: 4 }));
    assert.deepEqual(hypercallsOf(lines), ['UNMAP_GPA_PAGES SUCCESS 512', 'UNMAP_GPA_PAGES SUCCESS 512']);
    assert.equal(bench.exists('partition[2].gpa[0x0].pages'), false);
  });

  it('Linux 6.16 pins the pages and maps them at once', () => {
    const bench = activePartition({ kernel: 'upstream-6.16' });
    set(bench, memoryArg({ frame: 0n, flags: 3 }));
    assert.equal(bench.cell('partition[2].gpa[0x0].flags'), 0x800fn);
  });

  it('deposits 256 pages when mapping wants memory, and goes on', () => {
    const bench = activePartition({ pool: { mapPagesPerPoolPage: 1 } });
    const { lines, outcome } = set(bench, memoryArg({ frame: 0n, size: 0x12c000n }));
    assert.deepEqual(hypercallsOf(lines), [
      'MAP_GPA_PAGES INSUFFICIENT_MEMORY',
      'DEPOSIT_MEMORY SUCCESS 256',
      'MAP_GPA_PAGES INSUFFICIENT_MEMORY 256',
      'DEPOSIT_MEMORY SUCCESS 256',
      'MAP_GPA_PAGES SUCCESS 44',
    ]);
    assert.equal(outcome?.ret, 0);
  });

  it('takes back what was mapped when a later part fails', () => {
    const bench = activePartition();
    const last = (1n << 34n) - 509n;
    const { lines, outcome } = set(bench, memoryArg({ frame: last, size: 0x200000n }));
    assert.deepEqual(hypercallsOf(lines), [
      'MAP_GPA_PAGES SUCCESS 509',
      'MAP_GPA_PAGES INVALID_PARAMETER',
      'UNMAP_GPA_PAGES SUCCESS 509',
    ]);
    assert.equal(outcome?.ret, -22);
    assert.equal(set(bench, memoryArg({ frame: last })).outcome?.ret, 0);
  });

  it('before the partition is initialised the hypervisor refuses', () => {
    const bench = activePartition({}, false);
    assert.equal(set(bench, memoryArg({})).outcome?.ret, -5);
  });

  it('memory that the process does not have is left to the record', () => {
    const bench = activePartition();
    assert.deepEqual(set(bench, memoryArg({}), -22).outcome, { ret: -22, rule: 'unmodelled' });
    assert.deepEqual(set(bench, memoryArg({})).outcome?.ret, 0);
  });

  it('is unmapped after the partition is finalised, in vain', () => {
    const bench = activePartition({ mmuNotifier: false });
    set(bench, memoryArg({}));
    const { lines } = bench.fd({ what: 'close', handle: PARTITION, pid: 7 });
    assert.deepEqual(
      hypercallsOf(lines).map((line) => line.replace(/ \d+$/, '')),
      [
        'FINALIZE_PARTITION SUCCESS',
        'UNMAP_GPA_PAGES INVALID_PARTITION_STATE',
        'WITHDRAW_MEMORY NO_RESOURCES',
        'DELETE_PARTITION SUCCESS',
      ],
    );
  });
});
