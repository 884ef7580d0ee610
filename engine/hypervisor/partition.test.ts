import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeControl, hypercalls } from '../abi/index.ts';
import { timeNs } from '../trace/position.ts';
import { HypervisorBench, tableOf } from './bench.testing.ts';

const SELF = 0xffff_ffff_ffff_ffffn;
const CHILD = 2n;

const given = new WeakMap<HypervisorBench, number>();

/** Deposits `pages` frames that were not deposited before, from 0x1000 on. */
function deposit(bench: HypervisorBench, pages: number, partition = CHILD) {
  const first = given.get(bench) ?? 0x1000;
  given.set(bench, first + pages);
  const values = Array.from({ length: pages }, (_, i) => BigInt(first + i));
  return bench.call(
    'DEPOSIT_MEMORY',
    { partition_id: partition },
    { reps: pages, list: { field: 'gpa_page_list', values } },
  );
}

function withdraw(bench: HypervisorBench, reps = 512, options = {}) {
  return bench.call('WITHDRAW_MEMORY', { partition_id: CHILD }, { reps, ...options });
}

type State = 'uninitialized' | 'active' | 'finalized';

/** A child in a state, with VP 0 once it has been active; its pool is short of nothing. */
function childIn(state: State): HypervisorBench {
  const bench = new HypervisorBench({ role: 'root' });
  assert.equal(bench.call('CREATE_PARTITION').status, 'SUCCESS');
  if (state === 'uninitialized') return bench;
  for (let i = 0; i < 2; i++) deposit(bench, 300);
  assert.equal(bench.call('INITIALIZE_PARTITION', { partition_id: CHILD }, { fast: true }).status, 'SUCCESS');
  assert.equal(bench.call('CREATE_VP', { partition_id: CHILD, vp_index: 0 }).status, 'SUCCESS');
  if (state === 'active') return bench;
  assert.equal(bench.call('FINALIZE_PARTITION', { partition_id: CHILD }, { fast: true }).status, 'SUCCESS');
  withdraw(bench);
  withdraw(bench);
  return bench;
}

/**
 * What each call that names a partition answers in each of its states. Source: TLFS 2013, partition states and
 * the entries of the calls; the Linux driver for withdraw, delete and properties before the initialisation.
 */
const PHASES = `
| call                    | uninitialized           | active                  | finalized               |
|-------------------------|-------------------------|-------------------------|-------------------------|
| INITIALIZE_PARTITION    | INSUFFICIENT_MEMORY     | INVALID_PARTITION_STATE | INVALID_PARTITION_STATE |
| FINALIZE_PARTITION      | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| DELETE_PARTITION        | SUCCESS                 | INVALID_PARTITION_STATE | SUCCESS                 |
| DEPOSIT_MEMORY          | SUCCESS                 | SUCCESS                 | INVALID_PARTITION_STATE |
| WITHDRAW_MEMORY         | NO_RESOURCES            | SUCCESS                 | NO_RESOURCES            |
| SET_PARTITION_PROPERTY  | SUCCESS                 | SUCCESS                 | INVALID_PARTITION_STATE |
| GET_PARTITION_PROPERTY  | SUCCESS                 | SUCCESS                 | SUCCESS                 |
| CREATE_VP               | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| DELETE_VP               | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| GET_VP_REGISTERS        | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| SET_VP_REGISTERS        | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| MAP_VP_STATE_PAGE       | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| UNMAP_VP_STATE_PAGE     | INVALID_PARTITION_STATE | INVALID_PARAMETER       | INVALID_PARTITION_STATE |
| MAP_STATS_PAGE          | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| MAP_STATS_PAGE2         | INVALID_PARTITION_STATE | SUCCESS                 | INVALID_PARTITION_STATE |
| UNMAP_STATS_PAGE        | INVALID_PARTITION_STATE | INVALID_PARAMETER       | INVALID_PARTITION_STATE |
`;

/** The input of one call on VP 0 of the child, everything else 0; registers name EXPLICIT_SUSPEND, which is 0. */
function issue(bench: HypervisorBench, name: string): string {
  const id = { partition_id: CHILD };
  if (name === 'DEPOSIT_MEMORY') return deposit(bench, 1).status;
  if (name === 'WITHDRAW_MEMORY') return withdraw(bench, 1).status;
  if (name === 'GET_VP_REGISTERS') return bench.call(name, id, { reps: 1 }).status;
  if (name === 'SET_VP_REGISTERS') {
    const input = new Uint8Array(48);
    input[0] = Number(CHILD);
    return bench.raw(name, input, { reps: 1 }).status;
  }
  if (name.endsWith('_STATS_PAGE') || name === 'MAP_STATS_PAGE2') {
    return bench.call(name, { type: 0x10002, 'identity.vp.partition_id': CHILD }).status;
  }
  if (name.endsWith('_PROPERTY')) return bench.call(name, { ...id, property_code: 0x50003 }).status;
  return bench.call(name, name === 'CREATE_VP' ? { ...id, vp_index: 1 } : id).status;
}

describe('states of a partition', () => {
  const [head = [], ...rows] = tableOf(PHASES);
  for (const [name = '', ...answers] of rows) {
    answers.forEach((expected, i) => {
      const state = head[i + 1] as State;
      it(`${name} on one that is ${state}: ${expected}`, () => {
        assert.equal(issue(childIn(state), name), expected);
      });
    });
    it(`${name} on one that does not exist: INVALID_PARTITION_ID`, () => {
      assert.equal(issue(new HypervisorBench({ role: 'root' }), name), 'INVALID_PARTITION_ID');
    });
    it(`${name} on one that may exist since before the recording: not modelled`, () => {
      assert.equal(issue(new HypervisorBench({ role: 'root', initial: 'unknown' }), name), '?');
    });
  }

  it('only a child can be initialised, finalised or deleted', () => {
    const bench = new HypervisorBench({ role: 'root' });
    for (const name of ['INITIALIZE_PARTITION', 'FINALIZE_PARTITION', 'DELETE_PARTITION']) {
      assert.equal(bench.call(name, { partition_id: SELF }).status, 'ACCESS_DENIED', name);
      assert.equal(bench.call(name, { partition_id: 1n }).status, 'ACCESS_DENIED', name);
    }
  });

  it('an id is never used twice', () => {
    const bench = new HypervisorBench({ role: 'root' });
    bench.call('CREATE_PARTITION');
    bench.call('DELETE_PARTITION', { partition_id: CHILD });
    const { output } = bench.call('CREATE_PARTITION');
    assert.equal(output?.[0], 3);
    assert.equal(bench.cell('partition[3].state'), 1n);
  });

  it('a recorded id is taken over, and counted', () => {
    const bench = new HypervisorBench({ role: 'root' });
    const { output } = bench.call('CREATE_PARTITION', {}, { output: Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0) });
    assert.equal(output?.[0], 9);
    assert.deepEqual(bench.bound, ['partition-id']);
    assert.equal(bench.call('CREATE_PARTITION').output?.[0], 10);
  });

  it('a recorded id that no child can have is not believed', () => {
    for (const id of [1n, 0n, SELF]) {
      const bench = new HypervisorBench({ role: 'root' });
      const recorded = new Uint8Array(8);
      new DataView(recorded.buffer).setBigUint64(0, id, true);
      assert.equal(bench.call('CREATE_PARTITION', {}, { output: recorded }).output?.[0], 2);
      assert.deepEqual(bench.bound, []);
    }
  });

  it('ids go round without meeting one that exists', () => {
    const bench = new HypervisorBench({ role: 'root' });
    const last = new Uint8Array(8).fill(0xff);
    last[0] = 0xfe;
    bench.call('CREATE_PARTITION', {}, { output: last });
    assert.equal(bench.call('CREATE_PARTITION').output?.[0], 2);
  });

  it('creation flags that no header names are refused', () => {
    const bench = new HypervisorBench({ role: 'root' });
    assert.equal(bench.call('CREATE_PARTITION', { flags: 0x8_0100n }).status, 'SUCCESS');
    assert.equal(bench.call('CREATE_PARTITION', { flags: 0x4n }).status, 'INVALID_PARAMETER');
    assert.equal(bench.cell('partition[2].flags'), 0x8_0100n);
  });
});

describe('memory pools', () => {
  it('an object takes its pages from the pool, or says that it is short', () => {
    const bench = new HypervisorBench({ role: 'root', pool: { partition: 3, vp: 2 } });
    bench.call('CREATE_PARTITION');
    deposit(bench, 2);
    const initialize = () => bench.call('INITIALIZE_PARTITION', { partition_id: CHILD }).status;
    assert.equal(initialize(), 'INSUFFICIENT_MEMORY');
    deposit(bench, 1);
    assert.equal(initialize(), 'SUCCESS');
    assert.equal(bench.cell('partition[2].pool.used'), 3n);
    assert.equal(bench.call('CREATE_VP', { partition_id: CHILD }).status, 'INSUFFICIENT_MEMORY');
    deposit(bench, 2);
    assert.equal(bench.call('CREATE_VP', { partition_id: CHILD }).status, 'SUCCESS');
    assert.equal(bench.call('DELETE_VP', { partition_id: CHILD }).status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].pool.used'), 3n);
  });

  it('pages in use stay, free ones go, the last that came first', () => {
    const bench = new HypervisorBench({ role: 'root', pool: { partition: 3 } });
    bench.call('CREATE_PARTITION');
    deposit(bench, 5);
    bench.call('INITIALIZE_PARTITION', { partition_id: CHILD });
    const { status, reps, output } = withdraw(bench, 4);
    assert.equal(status, 'NO_RESOURCES');
    assert.equal(reps, 2);
    assert.deepEqual([...(output ?? [])], [4, 0x10, 0, 0, 0, 0, 0, 0, 3, 0x10, 0, 0, 0, 0, 0, 0]);
    assert.equal(bench.cell('partition[2].pool.deposited'), 3n);
  });

  it('finalising frees every page; a pool that is not empty keeps the partition', () => {
    const bench = childIn('active');
    bench.call('FINALIZE_PARTITION', { partition_id: CHILD });
    assert.equal(bench.cell('partition[2].pool.used'), 0n);
    assert.equal(bench.call('DELETE_PARTITION', { partition_id: CHILD }).status, 'OPERATION_DENIED');
    assert.equal(withdraw(bench).reps, 512);
    assert.equal(withdraw(bench).reps, 88);
    assert.equal(withdraw(bench).status, 'NO_RESOURCES');
    assert.equal(bench.call('DELETE_PARTITION', { partition_id: CHILD }).status, 'SUCCESS');
  });

  it('a deposit whose list was not recorded whole says nothing', () => {
    const bench = new HypervisorBench({ role: 'root' });
    bench.call('CREATE_PARTITION');
    assert.equal(bench.call('DEPOSIT_MEMORY', { partition_id: CHILD }, { reps: 3 }).status, '?');
    assert.equal(bench.cell('partition[2].pool.deposited'), 0n);
  });

  it('no page is lost or made over any sequence of deposits, VPs and withdrawals', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('deposit'), pages: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant('withdraw'), pages: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant('create'), pages: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('delete'), pages: fc.integer({ min: 0, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const bench = new HypervisorBench({ role: 'root', pool: { partition: 0, vp: 7 } });
        bench.call('CREATE_PARTITION');
        bench.call('INITIALIZE_PARTITION', { partition_id: CHILD });
        let given = 0;
        let vps = 0;
        for (const { kind, pages } of steps) {
          if (kind === 'deposit') given += deposit(bench, pages).reps;
          else if (kind === 'withdraw') given -= withdraw(bench, pages).reps;
          else {
            const name = kind === 'create' ? 'CREATE_VP' : 'DELETE_VP';
            const done = bench.call(name, { partition_id: CHILD, vp_index: pages }).status === 'SUCCESS';
            if (done) vps += kind === 'create' ? 1 : -1;
          }
          assert.equal(bench.cell('partition[2].pool.deposited'), BigInt(given));
          assert.equal(bench.cell('partition[2].pool.used'), BigInt(vps * 7));
          assert.ok(vps * 7 <= given);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('virtual processors', () => {
  const create = (bench: HypervisorBench, fields: Readonly<Record<string, number | bigint>>) =>
    bench.call('CREATE_VP', { partition_id: CHILD, ...fields }).status;

  it('need a free index in range and no flags', () => {
    const bench = childIn('active');
    assert.equal(create(bench, { vp_index: 0 }), 'INVALID_VP_INDEX');
    assert.equal(create(bench, { vp_index: 0x800 }), 'INVALID_VP_INDEX');
    assert.equal(create(bench, { vp_index: 1, flags: 1 }), 'INVALID_PARAMETER');
    assert.equal(create(bench, { vp_index: 0x7ff }), 'SUCCESS');
  });

  it('begin explicitly suspended', () => {
    assert.equal(childIn('active').cell('partition[2].vp[0].suspend.explicit'), 1n);
  });

  it('keep their state pages until they are unmapped', () => {
    const bench = childIn('active');
    const page = { partition_id: CHILD, vp_index: 0, type: 1 };
    const mapped = bench.call('MAP_VP_STATE_PAGE', page);
    assert.equal(mapped.status, 'SUCCESS');
    assert.notEqual(bench.cell('partition[2].vp[0].page.intercept'), 0n);
    assert.equal(bench.call('UNMAP_VP_STATE_PAGE', page).status, 'SUCCESS');
    assert.equal(bench.cell('partition[2].vp[0].page.intercept'), 0n);
    assert.equal(bench.call('MAP_VP_STATE_PAGE', { ...page, type: 3 }).status, 'INVALID_PARAMETER');
    assert.equal(bench.call('MAP_VP_STATE_PAGE', { ...page, vp_index: 9 }).status, 'INVALID_VP_INDEX');
  });

  it('have their state pages where the caller asks for them', () => {
    const bench = childIn('active');
    const page = { partition_id: CHILD, 'flags.map_location_provided': 1, requested_map_location: 0x77n };
    assert.equal(bench.call('MAP_VP_STATE_PAGE', page).output?.[0], 0x77);
    assert.equal(bench.cell('partition[2].vp[0].page.registers'), 0x77n);
  });

  it('let their suspension be set and read, the one for intercepts only lifted', () => {
    const bench = childIn('active');
    const set = (name: number, value: number) => {
      const input = new Uint8Array(48);
      input[0] = Number(CHILD);
      input[16] = name;
      input[32] = value;
      return bench.raw('SET_VP_REGISTERS', input, { reps: 1 }).status;
    };
    assert.equal(set(0, 0), 'SUCCESS');
    assert.equal(bench.cell('partition[2].vp[0].suspend.explicit'), 0n);
    assert.equal(set(1, 1), 'INVALID_PARAMETER');
    assert.equal(set(1, 0), 'SUCCESS');
    assert.equal(set(3, 1), 'SUCCESS');
    assert.equal(set(2, 0), 'SUCCESS');
    assert.equal(set(0x15, 0), 'INVALID_PARAMETER');
  });
});

describe('properties', () => {
  it('read back what was set', () => {
    const bench = childIn('uninitialized');
    const name = { partition_id: CHILD, property_code: 0x10001 };
    assert.equal(bench.call('GET_PARTITION_PROPERTY', name).output?.[0], 0);
    bench.call('SET_PARTITION_PROPERTY', { ...name, property_value: 0x55n });
    assert.equal(bench.call('GET_PARTITION_PROPERTY', name).output?.[0], 0x55);
    assert.equal(bench.cell('partition[2].property[0x10001]'), 0x55n);
  });

  it('of time stop a guest’s clock and its timers, and let them go on', () => {
    const bench = childIn('active');
    const at = (t: number) => ({ t: timeNs(t) });
    const time = { partition_id: CHILD, property_code: 0x30005 };
    const freeze = { partition_id: CHILD, property_code: 0x30003 };
    const read = (t: number, recorded?: Uint8Array) => {
      const output = recorded === undefined ? {} : { output: recorded };
      const answer = bench.call('GET_PARTITION_PROPERTY', time, { ...at(t), ...output });
      return new DataView((answer.output ?? new Uint8Array(8)).slice().buffer).getBigUint64(0, true);
    };
    bench.call('SET_PARTITION_PROPERTY', { ...freeze, property_value: 1n }, at(5_000));
    assert.equal(read(9_000), 50n);
    // What was told while it stands still is what it stands at, whatever a record says.
    assert.equal(read(9_500, Uint8Array.of(77, 0, 0, 0, 0, 0, 0, 0)), 50n);
    bench.call('SET_PARTITION_PROPERTY', { ...freeze, property_value: 0n }, at(10_000));
    assert.equal(read(12_000), 70n);
  });

  it('that no header names are unknown', () => {
    const bench = childIn('active');
    const name = { partition_id: CHILD, property_code: 0xdead };
    assert.equal(bench.call('SET_PARTITION_PROPERTY', name).status, 'UNKNOWN_PROPERTY');
  });
});

describe('control words', () => {
  /** Bits put over a well-formed call, and the status. Source: TLFS, hypercall inputs. */
  const WORDS = `
| call             | bits                  | status                  |
|------------------|-----------------------|-------------------------|
| CREATE_PARTITION | 0x0                   | SUCCESS                 |
| CREATE_PARTITION | 0x10000               | INVALID_HYPERCALL_INPUT |
| CREATE_PARTITION | 0x8000000             | INVALID_HYPERCALL_INPUT |
| CREATE_PARTITION | 0x100000000           | INVALID_HYPERCALL_INPUT |
| CREATE_PARTITION | 0x100000000000        | INVALID_HYPERCALL_INPUT |
| CREATE_PARTITION | 0x1000000000000       | INVALID_HYPERCALL_INPUT |
| CREATE_PARTITION | 0x1000000000000000    | INVALID_HYPERCALL_INPUT |
| CREATE_PARTITION | 0x80000000            | SUCCESS                 |
| WITHDRAW_MEMORY  | 0x0                   | INVALID_HYPERCALL_INPUT |
| WITHDRAW_MEMORY  | 0x1000100000000       | INVALID_HYPERCALL_INPUT |
| WITHDRAW_MEMORY  | 0x100000000           | INVALID_PARTITION_ID    |
`;
  for (const [name = '', bits = '0', status] of tableOf(WORDS).slice(1)) {
    it(`${name} with ${bits}: ${status}`, () => {
      const bench = new HypervisorBench({ role: 'root' });
      assert.equal(bench.call(name, {}, { control: BigInt(bits) }).status, status);
    });
  }

  it('with a code that nobody knows are refused, whatever else they hold', () => {
    const bench = new HypervisorBench();
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), fc.uint8Array(), (control, input) => {
        fc.pre(hypercalls.find(decodeControl(control).code) === undefined);
        assert.equal(bench.word(control, input).status, 'INVALID_HYPERCALL_CODE');
      }),
      { numRuns: 200 },
    );
  });

  it('and inputs of any bits and bytes are answered', () => {
    const names = hypercalls.all().map((row) => row.abiName);
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
        fc.uint8Array({ maxLength: 80 }),
        (name, control, input) => {
          const bench = new HypervisorBench({ role: 'root' });
          bench.call('CREATE_PARTITION');
          const { status } = bench.word((control & ~0xffffn) | BigInt(hypercalls.number(name)), input);
          assert.equal(typeof status, 'string');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('have pointers aligned and inside a page', () => {
    const status = (gpa: bigint, pointerErrors = 'docs') =>
      new HypervisorBench({ role: 'root', pointerErrors }).call('CREATE_PARTITION', {}, { inputGpa: gpa })
        .status;
    assert.equal(status(0x1008n), 'SUCCESS');
    assert.equal(status(0x1004n), 'INVALID_ALIGNMENT');
    assert.equal(status(0x1ff8n), 'INVALID_ALIGNMENT');
    assert.equal(status(0x1ff8n, 'openvmm'), 'INVALID_HYPERCALL_INPUT');
    assert.equal(status(0x1004n, 'openvmm'), 'INVALID_ALIGNMENT');
  });

  it('of calls that are not modelled leave the recorded result as it is', () => {
    const bench = new HypervisorBench({ role: 'root' });
    assert.equal(bench.raw('START_VP', new Uint8Array(1024)).status, '?');
    assert.equal(bench.raw('CREATE_PARTITION', undefined).status, '?');
  });
});
