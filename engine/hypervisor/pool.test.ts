import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../trace/text/json.ts';
import { activeChild, HypervisorBench } from './bench.testing.ts';

const SELF = 0xffff_ffff_ffff_ffffn;

function deposit(bench: HypervisorBench, values: readonly bigint[], partition_id = 2n) {
  const list = { field: 'gpa_page_list', values };
  return bench.call('DEPOSIT_MEMORY', { partition_id }, { reps: values.length, list });
}

function frames(first: bigint, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => first + BigInt(i));
}

function listOf(output: Uint8Array | undefined): bigint[] {
  const bytes = output ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true));
}

function outputOf(values: readonly bigint[]): Uint8Array {
  const output = new Uint8Array(values.length * 8);
  const view = new DataView(output.buffer);
  values.forEach((value, i) => {
    view.setBigUint64(i * 8, value, true);
  });
  return output;
}

function withdraw(bench: HypervisorBench, reps: number, recorded?: readonly bigint[], partition_id = 2n) {
  const options = recorded === undefined ? { reps } : { reps, output: outputOf(recorded) };
  const { output, ...answer } = bench.call('WITHDRAW_MEMORY', { partition_id }, options);
  return { ...answer, given: listOf(output) };
}

function child(given: JsonObject = {}): HypervisorBench {
  const bench = new HypervisorBench({ role: 'root', ...given });
  bench.call('CREATE_PARTITION');
  return bench;
}

describe('deposited pages', () => {
  it('are given once: the call ends before one that is in a pool', () => {
    const bench = child();
    bench.call('CREATE_PARTITION');
    assert.equal(deposit(bench, frames(0x100n, 4)).status, 'SUCCESS');
    const again = deposit(bench, [0x90n, 0x91n, 0x103n, 0x92n], 3n);
    assert.deepEqual([again.status, again.reps], ['OPERATION_DENIED', 2]);
    assert.equal(again.rule, 'TLFS2013.pool.deposited-already');
    assert.equal(bench.cell('partition[3].pool.deposited'), 2n);
    assert.equal(deposit(bench, [0x103n], SELF).status, 'OPERATION_DENIED');
    assert.equal(deposit(bench, [0x92n, 0x200n, 0x92n], 3n).reps, 2);
  });

  it('can be given again once they have come back', () => {
    const bench = child();
    deposit(bench, frames(0x100n, 4));
    assert.deepEqual(withdraw(bench, 1).given, [0x103n]);
    assert.equal(deposit(bench, [0x103n], SELF).status, 'SUCCESS');
    assert.equal(deposit(bench, [0x102n], SELF).status, 'OPERATION_DENIED');
  });

  it('have an address', () => {
    const bench = child();
    const answer = deposit(bench, [(1n << 40n) - 1n, 1n << 40n]);
    assert.deepEqual([answer.status, answer.reps], ['OPERATION_DENIED', 1]);
    assert.equal(answer.rule, 'TLFS2013.pool.not-the-callers');
    assert.equal(deposit(bench, [(1n << 63n) + 5n]).reps, 0);
  });

  it('come back in any order, and no others do', () => {
    const bench = child();
    deposit(bench, frames(0x100n, 6));
    assert.deepEqual(withdraw(bench, 2, [0x102n, 0x100n]).given, [0x102n, 0x100n]);
    // 0x102 is the caller's again: the hypervisor cannot have given it a second time.
    assert.deepEqual(withdraw(bench, 2, [0x105n, 0x102n]).given, [0x105n, 0x104n]);
    assert.deepEqual(bench.bound, ['withdrawn-frames']);
    assert.deepEqual(withdraw(bench, 2, [0x101n, 0x103n]).given, [0x101n, 0x103n]);
    assert.equal(bench.cell('partition[2].pool.deposited'), 0n);
    assert.deepEqual(bench.state('partition[2].run[*].pages'), []);
  });

  it('over any sequence: nothing comes back that was not given, and nothing twice', () => {
    const step = fc.record({
      deposits: fc.boolean(),
      at: fc.nat({ max: 24 }),
      count: fc.integer({ min: 1, max: 6 }),
      recorded: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const bench = child();
        const inPool = new Set<bigint>();
        for (const { deposits, at, count, recorded } of steps) {
          if (deposits) {
            const list = frames(BigInt(0x100 + at), count);
            const first = list.findIndex((frame) => inPool.has(frame));
            const { reps } = deposit(bench, list);
            assert.equal(reps, first < 0 ? count : first);
            for (const frame of list.slice(0, reps)) inPool.add(frame);
          } else {
            // Every second page of what there is, as a hypervisor might choose.
            const chosen = [...inPool].filter((_, i) => (i + at) % 2 === 0).slice(0, count);
            const isRecorded = recorded && chosen.length === count;
            const { given, reps } = withdraw(bench, count, isRecorded ? chosen : undefined);
            assert.equal(reps, Math.min(count, inPool.size));
            if (isRecorded) assert.deepEqual(given, chosen);
            for (const frame of given) assert.ok(inPool.delete(frame), `frame ${frame} was not in the pool`);
          }
          assert.equal(bench.cell('partition[2].pool.deposited'), BigInt(inPool.size));
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('a pool that is short', () => {
  /** Profile `pool`, what is made, the status, and what a deposit of one block makes of it. */
  const make: Readonly<Record<string, (bench: HypervisorBench) => string>> = {
    port: (bench) => port(bench, 1),
    'message port': (bench) => port(bench, 1, 1),
    connection: (bench) => connection(bench),
    child: (bench) => bench.call('CREATE_PARTITION').status,
    vp: (bench) => bench.call('CREATE_VP', { partition_id: 2n, vp_index: 1 }).status,
  };
  function port(bench: HypervisorBench, port_id: number, type = 4): string {
    const fields = { port_partition_id: 1n, port_id, connection_partition_id: 2n };
    return bench.call('CREATE_PORT', { ...fields, 'port_info.port_type': type }).status;
  }
  function connection(bench: HypervisorBench): string {
    port(bench, 1);
    const of = { port_partition_id: 1n, port_id: 1, connection_partition_id: 2n, connection_id: 1 };
    return bench.call('CONNECT_PORT', { ...of, 'connection_info.port_type': 4 }).status;
  }

  const ROWS: readonly (readonly [string, JsonObject, string, bigint, number])[] = [
    ['port', { port: 1 }, 'INSUFFICIENT_ROOT_MEMORY', 1n, 1],
    ['message port', { messageBuffer: 1 }, 'INSUFFICIENT_ROOT_MEMORY', 1n, 16],
    ['connection', { connection: 3 }, 'INSUFFICIENT_MEMORY', 2n, 3],
    ['child', { child: 2 }, 'INSUFFICIENT_ROOT_MEMORY', 1n, 2],
    ['vp', {}, 'INSUFFICIENT_MEMORY', 2n, 90],
    ['port', { contiguous: ['port'] }, 'INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY', 1n, 8],
    ['connection', { contiguous: ['connection'] }, 'INSUFFICIENT_CONTIGUOUS_MEMORY', 2n, 8],
    ['vp', { vp: 0, contiguous: ['vp'] }, 'INSUFFICIENT_CONTIGUOUS_MEMORY', 2n, 8],
  ];
  for (const [what, pool, status, whose, pages] of ROWS) {
    it(`${what} with ${JSON.stringify(pool)}: ${status} until ${pages} pages are there`, () => {
      // The child and its first VP were made before the costs, from a pool that has nothing left.
      const costs = { vp: 90, ...pool };
      const bench = what === 'child' ? new HypervisorBench({ role: 'root', pool }) : spent(costs);
      const attempt = make[what] as (bench: HypervisorBench) => string;
      assert.equal(attempt(bench), status);
      deposit(bench, frames(0x9000n, pages - 1), whose);
      if (pages > 1) assert.equal(attempt(bench), status);
      // Behind the others, so that they are eight in a row; in one deposit, since only that says so.
      if (pages === 8) deposit(bench, frames(0xa000n, 8), whose);
      else deposit(bench, [0x9000n + BigInt(pages - 1)], whose);
      assert.equal(attempt(bench), 'SUCCESS');
    });
  }

  /** An active child whose pool has no page to spare. */
  function spent(pool: JsonObject): HypervisorBench {
    const bench = new HypervisorBench({ role: 'root', pool });
    bench.call('CREATE_PARTITION');
    deposit(bench, frames(0x1000n, 208));
    bench.call('INITIALIZE_PARTITION', { partition_id: 2n });
    return bench;
  }

  it('a port and a connection give their pages back', () => {
    const bench = activeChild({ pool: { port: 2, messageBuffer: 1, connection: 3 } });
    deposit(bench, frames(0x9000n, 18), 1n);
    assert.equal(port(bench, 1, 1), 'SUCCESS');
    assert.equal(bench.cell('partition[1].pool.used'), 18n);
    const used = bench.cell('partition[2].pool.used');
    const of = { port_partition_id: 1n, port_id: 1, connection_partition_id: 2n, connection_id: 1 };
    assert.equal(bench.call('CONNECT_PORT', { ...of, 'connection_info.port_type': 1 }).status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].pool.used'), used + 3n);
    bench.call('DISCONNECT_PORT', { connection_partition_id: 2n, connection_id: 1 });
    assert.equal(bench.cell('partition[2].pool.used'), used);
    bench.call('DELETE_PORT', { port_partition_id: 1n, port_id: 1 });
    assert.equal(bench.cell('partition[1].pool.used'), 0n);
  });

  it('contiguous pages of objects stay together when others are withdrawn', () => {
    const bench = child({ pool: { partition: 2, contiguous: ['partition'] } });
    deposit(bench, frames(0x100n, 3));
    deposit(bench, frames(0x200n, 10));
    deposit(bench, frames(0x300n, 4));
    assert.equal(bench.call('INITIALIZE_PARTITION', { partition_id: 2n }).status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].pool.used'), 10n);
    assert.equal(bench.cell('partition[2].pool.blocks'), 1n);
    const { given, reps } = withdraw(bench, 512);
    assert.equal(reps, 7);
    assert.ok(!given.some((frame) => frame >= 0x200n && frame < 0x208n), `${given}`);
  });

  it('a proximity domain that the machine does not have is refused', () => {
    const bench = activeChild({ pool: { proximityDomains: 2 } });
    const fields = (domain: number) => ({
      partition_id: 2n,
      'proximity_domain_info.domain_id': domain,
    });
    assert.equal(bench.call('WITHDRAW_MEMORY', fields(2), { reps: 1 }).rule, 'TLFS2013.pool.proximity');
    assert.equal(bench.call('WITHDRAW_MEMORY', fields(1), { reps: 1 }).status, 'SUCCESS');
    assert.equal(bench.call('CREATE_VP', { ...fields(2), vp_index: 1 }).status, 'INVALID_PARAMETER');
  });
});
