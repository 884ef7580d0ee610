import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { msrs, statuses } from '../abi/index.ts';
import type { JsonObject } from '../trace/text/json.ts';
import { activeChild, HypervisorBench } from './bench.testing.ts';
import { createHypervisor } from './index.ts';

const HYPERVISOR = createHypervisor();

const CHILD = { partition_id: 2n };
const GUEST = { vp: { partition: 2n, vp: 0 } };
const PRIVILEGES = 0x1_0000;
const CREATE_PARTITIONS = 1n << 32n;
const ACCESS_PARTITION_ID = 1n << 33n;
const SELF = 0xffff_ffff_ffff_ffffn;

function list(first: bigint, count: number) {
  const values = Array.from({ length: count }, (_, i) => first + BigInt(i));
  return { reps: count, list: { field: 'gpa_page_list', values } };
}

describe('a partition that is finalised in several calls', () => {
  it('is finalizing until the last, and its pages come free a part a call', () => {
    const bench = activeChild({ finalizeCalls: 3 }, 0);
    const finalize = () => bench.call('FINALIZE_PARTITION', CHILD);
    assert.deepEqual([finalize().status, bench.cell('partition[2].state')], ['TIME_OUT', 3n]);
    assert.deepEqual(bench.state('partition[2].vp[*].suspend.explicit'), []);
    assert.equal(bench.cell('partition[2].pool.used'), 198n);
    assert.equal(bench.call('WITHDRAW_MEMORY', CHILD, { reps: 512 }).reps, 100);
    assert.equal(finalize().status, 'TIME_OUT');
    assert.equal(bench.call('WITHDRAW_MEMORY', CHILD, { reps: 512 }).reps, 99);
    assert.equal(bench.call('DELETE_PARTITION', CHILD).status, 'INVALID_PARTITION_STATE');
    assert.equal(finalize().status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].state'), 4n);
    assert.equal(bench.call('WITHDRAW_MEMORY', CHILD, { reps: 512 }).reps, 99);
    assert.equal(finalize().status, 'INVALID_PARTITION_STATE');
    assert.equal(bench.call('DELETE_PARTITION', CHILD).status, 'SUCCESS');
  });

  /** Source: TLFS 2013, partition states: only what ends the partition goes on. */
  const ROWS: Readonly<Record<string, string>> = {
    INITIALIZE_PARTITION: 'INVALID_PARTITION_STATE',
    DELETE_PARTITION: 'INVALID_PARTITION_STATE',
    DEPOSIT_MEMORY: 'INVALID_PARTITION_STATE',
    WITHDRAW_MEMORY: 'SUCCESS',
    GET_PARTITION_PROPERTY: 'SUCCESS',
    SET_PARTITION_PROPERTY: 'INVALID_PARTITION_STATE',
    CREATE_VP: 'INVALID_PARTITION_STATE',
    FINALIZE_PARTITION: 'TIME_OUT',
  };
  for (const [name, status] of Object.entries(ROWS)) {
    it(`${name} while it is: ${status}`, () => {
      const bench = activeChild({ finalizeCalls: 3 });
      bench.call('FINALIZE_PARTITION', CHILD);
      const options =
        name === 'DEPOSIT_MEMORY' ? list(0x9000n, 1) : name === 'WITHDRAW_MEMORY' ? { reps: 1 } : {};
      const fields = name.endsWith('PROPERTY') ? { ...CHILD, property_code: 0x1_0001 } : CHILD;
      assert.equal(bench.call(name, fields, options).status, status);
    });
  }
});

describe('limits', () => {
  it('of partitions that are initialised: NO_RESOURCES until one is deleted', () => {
    const bench = new HypervisorBench({ role: 'root', activePartitions: 1, pool: { partition: 0 } });
    for (let i = 0; i < 2; i++) assert.equal(bench.call('CREATE_PARTITION').status, 'SUCCESS');
    assert.equal(bench.call('INITIALIZE_PARTITION', CHILD).status, 'SUCCESS');
    const second = () => bench.call('INITIALIZE_PARTITION', { partition_id: 3n });
    assert.equal(second().status, 'NO_RESOURCES');
    assert.equal(second().rule, 'profile.active-partitions');
    bench.call('FINALIZE_PARTITION', CHILD);
    assert.equal(second().status, 'NO_RESOURCES');
    bench.call('DELETE_PARTITION', CHILD);
    assert.equal(second().status, 'SUCCESS');
  });

  it('where others may have been there before the recording, what it says of the limit holds', () => {
    for (const [status, state] of [
      ['NO_RESOURCES', 1n],
      ['SUCCESS', 2n],
    ] as const) {
      const given = { role: 'root', initial: 'unknown', activePartitions: 1, pool: { partition: 0 } };
      const bench = new HypervisorBench(given);
      assert.equal(bench.call('CREATE_PARTITION').status, 'SUCCESS');
      const result = { status: statuses.number(status), reps: 0 };
      bench.call('INITIALIZE_PARTITION', CHILD, { result });
      assert.equal(bench.cell('partition[2].state'), state, status);
    }
  });
});

/** The guest says who it is, without which it is not heard. */
function heard(bench: HypervisorBench): void {
  const access = { kind: 'msr', dir: 'write', cpu: 0, component: 'guest', ...GUEST } as const;
  HYPERVISOR.msr(bench.context, { ...access, msr: msrs.number('GUEST_OS_ID'), value: 0x81n });
}

/** A child that may have children, and memory to give them: guest frames 0x100 up to 0x300. */
function parentGuest(given: JsonObject = {}, rights = CREATE_PARTITIONS): HypervisorBench {
  const bench = new HypervisorBench({ role: 'root', ...given });
  bench.call('CREATE_PARTITION');
  const privileges = { ...CHILD, property_code: PRIVILEGES, property_value: rights };
  assert.equal(bench.call('SET_PARTITION_PROPERTY', privileges).status, 'SUCCESS');
  bench.call('DEPOSIT_MEMORY', CHILD, list(0x1000n, 400));
  bench.call('INITIALIZE_PARTITION', CHILD);
  bench.call('CREATE_VP', CHILD);
  heard(bench);
  const { reps, list: frames } = list(0x4_0000n, 512);
  for (const base of [0x100n, 0x200n]) {
    const values = frames.values.slice(0, 256).map((frame) => frame + base);
    bench.call(
      'MAP_GPA_PAGES',
      { target_partition_id: 2n, target_gpa_base: base, map_flags: 3 },
      { reps: reps / 2, list: { field: 'source_gpa_page_list', values } },
    );
  }
  return bench;
}

/** A call of the guest, which says who it is. */
function guest(bench: HypervisorBench, name: string, fields = {}, options = {}) {
  return bench.call(name, fields, { ...options, ...GUEST });
}

describe('partitions of partitions', () => {
  it('are told by number to who has them, and an id to who may know its own', () => {
    const bench = parentGuest({}, CREATE_PARTITIONS | ACCESS_PARTITION_ID);
    const told = (name: string, fields = {}) => Number(guest(bench, name, fields).output?.[0]);
    assert.equal(told('GET_PARTITION_ID'), 2);
    assert.equal(told('GET_NEXT_CHILD_PARTITION', { parent_partition_id: SELF }), 0);
    guest(bench, 'CREATE_PARTITION');
    assert.equal(told('GET_NEXT_CHILD_PARTITION', { parent_partition_id: SELF }), 3);
    assert.equal(bench.call('GET_NEXT_CHILD_PARTITION', { parent_partition_id: 3n }).status, 'ACCESS_DENIED');
    assert.equal(guest(parentGuest(), 'GET_PARTITION_ID').rule, 'TLFS2013.privilege.guest');
  });

  it('are not for a guest that has not been given the right', () => {
    const bench = activeChild();
    heard(bench);
    assert.equal(guest(bench, 'CREATE_PARTITION').rule, 'TLFS2013.privilege.guest');
    assert.equal(guest(parentGuest(), 'DISPATCH_VP').rule, 'TLFS2013.privilege.guest');
  });

  it('live from pages that their parent has, and end before it', () => {
    const bench = parentGuest({ pool: { partition: 4, vp: 0 } });
    assert.equal(guest(bench, 'CREATE_PARTITION').output?.[0], 3);
    assert.equal(bench.cell('partition[3].parent'), 2n);
    const below = { partition_id: 3n };
    assert.equal(bench.call('INITIALIZE_PARTITION', below).rule, 'TLFS2013.partition.not-a-child');
    const missing = guest(bench, 'DEPOSIT_MEMORY', below, list(0x2fen, 4));
    assert.deepEqual([missing.status, missing.reps], ['OPERATION_DENIED', 2]);
    assert.equal(missing.rule, 'TLFS2013.pool.not-the-callers');
    assert.equal(guest(bench, 'DEPOSIT_MEMORY', below, list(0x100n, 2)).status, 'SUCCESS');
    assert.equal(guest(bench, 'DEPOSIT_MEMORY', CHILD, list(0x110n, 1)).status, 'ACCESS_DENIED');
    assert.equal(guest(bench, 'INITIALIZE_PARTITION', below).status, 'SUCCESS');
    assert.equal(guest(bench, 'CREATE_VP', below).status, 'SUCCESS');
    assert.equal(bench.call('FINALIZE_PARTITION', CHILD).rule, 'TLFS2013.partition.has-children');
    assert.equal(bench.call('FINALIZE_PARTITION', CHILD).status, 'OPERATION_DENIED');
    assert.equal(guest(bench, 'FINALIZE_PARTITION', below).status, 'SUCCESS');
    assert.equal(guest(bench, 'WITHDRAW_MEMORY', below, { reps: 9 }).reps, 4);
    assert.equal(guest(bench, 'DELETE_PARTITION', below).status, 'SUCCESS');
    assert.equal(bench.call('FINALIZE_PARTITION', CHILD).status, 'SUCCESS');
  });

  it('may lie no deeper than the hypervisor allows', () => {
    const bench = parentGuest({ partitionDepth: 1 });
    const { status, rule } = guest(bench, 'CREATE_PARTITION');
    assert.deepEqual([status, rule], ['PARTITION_TOO_DEEP', 'profile.partition-depth']);
    assert.equal(bench.call('CREATE_PARTITION').status, 'SUCCESS');
    assert.equal(guest(parentGuest({ partitionDepth: 2 }), 'CREATE_PARTITION').status, 'SUCCESS');
  });

  it('draw on the pool of their parent while they exist', () => {
    const bench = new HypervisorBench({ role: 'root', pool: { child: 5 } });
    bench.call('DEPOSIT_MEMORY', { partition_id: 1n }, list(0x100n, 6));
    assert.equal(bench.call('CREATE_PARTITION').status, 'SUCCESS');
    assert.equal(bench.cell('partition[1].pool.used'), 5n);
    assert.equal(bench.call('CREATE_PARTITION').status, 'INSUFFICIENT_ROOT_MEMORY');
    bench.call('DELETE_PARTITION', CHILD);
    assert.equal(bench.cell('partition[1].pool.used'), 0n);
  });
});
