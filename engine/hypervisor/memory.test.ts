import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { activeChild, type HypervisorBench, tableOf } from './bench.testing.ts';

const CHILD = 2n;
const READ = 0x1;
const READ_WRITE = 0x3;
const NO_ACCESS = 0x1_0000;
const LARGE = 0x8000_0000;

function map(bench: HypervisorBench, base: bigint, pages: number, flags: number, options = {}) {
  const values = new Array<bigint>(pages).fill(0n);
  const fields = { target_partition_id: CHILD, target_gpa_base: base, map_flags: flags };
  return bench.call('MAP_GPA_PAGES', fields, {
    reps: pages,
    list: { field: 'source_gpa_page_list', values },
    ...options,
  });
}

function unmap(bench: HypervisorBench, base: bigint, pages: number, flags = 0) {
  const fields = { target_partition_id: CHILD, target_gpa_base: base, unmap_flags: flags };
  return bench.call('UNMAP_GPA_PAGES', fields, { reps: pages });
}

/** `0x0+16 0x1`: first frame, pages, flags. */
function runs(bench: HypervisorBench): string[] {
  const keys = bench.state('partition[2].gpa[*].pages').map((line) => {
    const [, key = '0'] = /gpa\[(0x[0-9a-f]+)\]/.exec(line) ?? [];
    return BigInt(key);
  });
  keys.sort((a, b) => (a < b ? -1 : 1));
  return keys.map((key) => {
    const at = `partition[2].gpa[0x${key.toString(16)}]`;
    return `0x${key.toString(16)}+${bench.cell(`${at}.pages`)} 0x${bench.cell(`${at}.flags`).toString(16)}`;
  });
}

describe('mapped guest memory', () => {
  it('neighbours that are mapped alike are one run', () => {
    const bench = activeChild();
    map(bench, 0x0n, 509, NO_ACCESS);
    map(bench, 509n, 3, NO_ACCESS);
    assert.deepEqual(runs(bench), ['0x0+512 0x10000']);
  });

  it('what was mapped before is replaced', () => {
    const bench = activeChild();
    map(bench, 0n, 500, NO_ACCESS);
    map(bench, 100n, 50, READ);
    assert.deepEqual(runs(bench), ['0x0+100 0x10000', '0x64+50 0x1', '0x96+350 0x10000']);
    map(bench, 90n, 70, NO_ACCESS);
    assert.deepEqual(runs(bench), ['0x0+500 0x10000']);
  });

  it('that a pool has, or nobody, is not mapped; what stands before it in the list is', () => {
    const bench = activeChild();
    const give = (values: readonly bigint[], flags = READ) =>
      map(bench, 0n, values.length, flags, { list: { field: 'source_gpa_page_list', values } });
    const pooled = give([0x9000n, 0x9001n, 0x1005n, 0x9003n]);
    assert.deepEqual([pooled.status, pooled.reps], ['OBJECT_IN_USE', 2]);
    assert.deepEqual(runs(bench), ['0x0+2 0x1']);
    const nobodys = give([0x9000n, 1n << 52n]);
    assert.deepEqual([nobodys.status, nobodys.reps], ['ACCESS_DENIED', 1]);
    assert.equal(give([0x1005n], NO_ACCESS).status, 'SUCCESS');
  });

  it('unmapping passes over what is not mapped', () => {
    const bench = activeChild();
    map(bench, 10n, 10, READ);
    assert.deepEqual([unmap(bench, 0n, 15).status, unmap(bench, 100n, 5).reps], ['SUCCESS', 5]);
    assert.deepEqual(runs(bench), ['0xf+5 0x1']);
  });

  it('large pages count in units of 512 frames', () => {
    const bench = activeChild();
    map(bench, 512n, 2, READ_WRITE + LARGE);
    assert.deepEqual(runs(bench), ['0x200+1024 0x80000003']);
    unmap(bench, 512n, 1, 2);
    assert.deepEqual(runs(bench), ['0x400+512 0x80000003']);
  });

  /** Base, flags, pages. Source: TLFS 2013, HvMapGpaPages; flags: Linux 7.2 include/hyperv. */
  const CHECKS = `
| base       | flags      | pages | answer            | rule                        |
|------------|------------|-------|-------------------|-----------------------------|
| 0x0        | 0x1        | 1     | SUCCESS           | TLFS2013.gpa.map            |
| 0x0        | 0x10000    | 1     | SUCCESS           | TLFS2013.gpa.map            |
| 0x0        | 0x2        | 1     | INVALID_PARAMETER | choice.gpa.write-only       |
| 0x0        | 0x10       | 1     | INVALID_PARAMETER | TLFS2013.gpa.flags          |
| 0x1        | 0x80000001 | 1     | INVALID_PARAMETER | TLFS2013.gpa.large-alignment |
| 0x200      | 0x80000001 | 1     | SUCCESS           | TLFS2013.gpa.map            |
| 0x3ffffffff | 0x1       | 1     | SUCCESS           | TLFS2013.gpa.map            |
| 0x3ffffffff | 0x1       | 2     | INVALID_PARAMETER | TLFS2013.gpa.address-space  |
`;
  for (const [base = '', flags = '', pages = '', status, rule] of tableOf(CHECKS).slice(1)) {
    it(`map ${pages} at ${base} with ${flags}: ${status}`, () => {
      const answer = map(activeChild(), BigInt(base), Number(pages), Number(flags));
      assert.deepEqual([answer.status, answer.rule], [status, rule]);
    });
  }

  it('unmapping knows one flag', () => {
    assert.equal(unmap(activeChild(), 0n, 1, 1).rule, 'TLFS2013.gpa.flags');
    assert.equal(unmap(activeChild(), 0n, 1).rule, 'TLFS2013.gpa.unmap');
  });

  it('mapping may cost pages of the pool; a short pool ends it part-way', () => {
    const bench = activeChild({ pool: { mapPagesPerPoolPage: 10 } }, 2);
    const answer = map(bench, 0n, 25, READ);
    assert.deepEqual([answer.status, answer.reps], ['INSUFFICIENT_MEMORY', 20]);
    assert.equal(bench.cell('partition[2].pool.used'), 300n);
    assert.equal(unmap(bench, 0n, 25).status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].pool.used'), 298n);
  });

  it('is gone when the partition is finalised', () => {
    const bench = activeChild();
    map(bench, 0n, 5, READ);
    bench.call('FINALIZE_PARTITION', { partition_id: CHILD }, { fast: true });
    assert.deepEqual(runs(bench), []);
    assert.equal(unmap(bench, 0n, 5).status, 'INVALID_PARTITION_STATE');
  });

  it('the runs are what a page-by-page table would hold', () => {
    const step = fc.record({
      base: fc.nat({ max: 40 }),
      pages: fc.integer({ min: 1, max: 20 }),
      flags: fc.constantFrom(READ, READ_WRITE, NO_ACCESS, undefined),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const bench = activeChild();
        const table = new Map<number, number>();
        for (const { base, pages, flags } of steps) {
          if (flags === undefined) unmap(bench, BigInt(base), pages);
          else map(bench, BigInt(base), pages, flags);
          for (let page = base; page < base + pages; page++) {
            if (flags === undefined) table.delete(page);
            else table.set(page, flags);
          }
        }
        const expected: string[] = [];
        for (let page = 0; page < 64; page++) {
          const flags = table.get(page);
          if (flags === undefined || table.get(page - 1) === flags) continue;
          let pages = 1;
          while (table.get(page + pages) === flags) pages++;
          expected.push(`0x${page.toString(16)}+${pages} 0x${flags.toString(16)}`);
        }
        assert.deepEqual(runs(bench), expected);
      }),
      { numRuns: 100 },
    );
  });
});
