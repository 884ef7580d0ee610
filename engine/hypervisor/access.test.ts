import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activeChild, type HypervisorBench } from './bench.testing.ts';

const CLEAR_ACCESSED = 1n;
const SET_ACCESSED = 2n;
const CLEAR_DIRTY = 4n;
const SET_DIRTY = 8n;
const BOTH = 3;
const ID = { partition_id: 2n };

/** Frames 0x10 to 0x17 mapped, 0x18 to 0x1f reserved without access. */
function mapped(): HypervisorBench {
  const bench = activeChild();
  for (const [base, flags] of [
    [0x10n, 3],
    [0x18n, 0x1_0000],
  ] as const) {
    const values = Array.from({ length: 8 }, (_, i) => 0x9000n + BigInt(i));
    const fields = { target_partition_id: 2n, target_gpa_base: base, map_flags: flags };
    bench.call('MAP_GPA_PAGES', fields, { reps: 8, list: { field: 'source_gpa_page_list', values } });
  }
  return bench;
}

/** States of pages from `base` on; flags say what is done to them after. */
function states(bench: HypervisorBench, base: bigint, count: number, flags = 0n, recorded?: number[]) {
  const output = recorded === undefined ? {} : { output: Uint8Array.from(recorded) };
  const answer = bench.call(
    'GET_GPA_PAGES_ACCESS_STATES',
    { ...ID, hv_gpa_page_number: base, flags },
    { reps: count, ...output },
  );
  return [...(answer.output ?? [])];
}

/** Lets VP 0 go, or holds it. */
function hold(bench: HypervisorBench, value: number): void {
  const input = new Uint8Array(48);
  input[0] = 2;
  input[32] = value;
  assert.equal(bench.raw('SET_VP_REGISTERS', input, { reps: 1 }).status, 'SUCCESS');
}

describe('access states of pages', () => {
  it('without a record: a page that is mapped with access counts as touched', () => {
    assert.deepEqual(states(mapped(), 0x0en, 5), [0, 0, BOTH, BOTH, BOTH]);
    assert.deepEqual(states(mapped(), 0x16n, 4), [BOTH, BOTH, 0, 0]);
  });

  it('are clear once they were cleared, until the guest runs', () => {
    const bench = mapped();
    assert.deepEqual(states(bench, 0x10n, 2, CLEAR_DIRTY), [BOTH, BOTH]);
    assert.deepEqual(states(bench, 0x10n, 3), [1, 1, BOTH]);
    assert.deepEqual(states(bench, 0x10n, 1, CLEAR_ACCESSED), [1]);
    assert.deepEqual(states(bench, 0x10n, 3), [0, 1, BOTH]);
    hold(bench, 0);
    assert.deepEqual(states(bench, 0x10n, 3), [BOTH, BOTH, BOTH]);
  });

  it('are set once they were set, whatever the guest does', () => {
    const bench = mapped();
    states(bench, 0x10n, 2, SET_DIRTY | SET_ACCESSED, [0, 0]);
    hold(bench, 0);
    assert.deepEqual(states(bench, 0x10n, 3, 0n, [0, 0, 0]), [BOTH, BOTH, 0]);
    hold(bench, 1);
    states(bench, 0x10n, 1, CLEAR_DIRTY);
    assert.deepEqual(states(bench, 0x10n, 2, 0n, [0, 0]), [1, BOTH]);
  });

  it('that are known are not taken from the record, the others are', () => {
    const bench = mapped();
    states(bench, 0x10n, 1, CLEAR_DIRTY | CLEAR_ACCESSED);
    bench.bound.length = 0;
    assert.deepEqual(states(bench, 0x10n, 1, 0n, [BOTH]), [0]);
    assert.deepEqual(bench.bound, []);
    assert.deepEqual(states(bench, 0x10n, 2, 0n, [BOTH, 2]), [0, 2]);
    assert.deepEqual(bench.bound, ['page-access']);
  });

  it('of a guest that runs meanwhile are not known', () => {
    const bench = mapped();
    hold(bench, 0);
    states(bench, 0x10n, 2, CLEAR_DIRTY);
    assert.deepEqual(states(bench, 0x10n, 2), [BOTH, BOTH]);
  });

  it('go with the mapping', () => {
    const bench = mapped();
    states(bench, 0x10n, 8, CLEAR_DIRTY | CLEAR_ACCESSED);
    const values = [0x9100n];
    const fields = { target_partition_id: 2n, target_gpa_base: 0x11n, map_flags: 3 };
    bench.call('MAP_GPA_PAGES', fields, { reps: 1, list: { field: 'source_gpa_page_list', values } });
    assert.deepEqual(states(bench, 0x10n, 3), [0, BOTH, 0]);
    bench.call('UNMAP_GPA_PAGES', { target_partition_id: 2n, target_gpa_base: 0x12n }, { reps: 1 });
    assert.deepEqual(states(bench, 0x10n, 4), [0, BOTH, 0, 0]);
    bench.call('FINALIZE_PARTITION', ID);
    assert.deepEqual(bench.state('partition[2].access[*].pages'), []);
  });

  it('cannot be cleared and set by one call', () => {
    const bench = mapped();
    const flags = CLEAR_ACCESSED | SET_ACCESSED;
    const fields = { ...ID, hv_gpa_page_number: 0x10n, flags };
    const { status, rule } = bench.call('GET_GPA_PAGES_ACCESS_STATES', fields, { reps: 1 });
    assert.deepEqual([status, rule], ['INVALID_PARAMETER', 'choice.gpa.access-flags']);
  });
});
