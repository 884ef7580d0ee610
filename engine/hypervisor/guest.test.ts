import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeControl, hypercalls, msrs, registers } from '../abi/index.ts';
import { activeChild, type HypervisorBench, tableOf } from './bench.testing.ts';
import { createHypervisor } from './index.ts';

const HYPERVISOR = createHypervisor();
const VP = { partition: 2n, vp: 0 };

function access(bench: HypervisorBench, dir: 'read' | 'write', name: string, value?: bigint, vp = VP) {
  const msr = name.startsWith('0x') ? Number(name) : msrs.number(name);
  const request = { kind: 'msr', dir, msr, vp, component: 'guest', cpu: 0 } as const;
  const answer = HYPERVISOR.msr(bench.context, value === undefined ? request : { ...request, value });
  bench.note(answer.emitted);
  if (answer.rule === 'unmodelled') return '?';
  return answer.fault ? '#GP' : `0x${answer.value.toString(16)}`;
}

describe('MSRs of a guest', () => {
  /** What is written, the answer, and what is read after. Source: as for the own partition (msr.test.ts). */
  const ROWS = `
| register      | written | answer  | read    |
|---------------|---------|---------|---------|
| SCONTROL      | 0x1     | 0x1     | 0x1     |
| SIMP          | 0x5001  | 0x5001  | 0x5001  |
| SINT2         | 0x30    | 0x30    | 0x30    |
| SINT2         | 0x5     | #GP     | 0x10000 |
| SVERSION      | 0x1     | #GP     | 0x1     |
| SIRBP         | 0x1     | #GP     | #GP     |
| VP_INDEX      | 0x1     | #GP     | 0x0     |
| GUEST_OS_ID   | 0x81    | 0x81    | 0x81    |
| HYPERCALL     | 0x7001  | 0x7000  | 0x7000  |
| STIMER1_COUNT | 0x9     | 0x9     | 0x9     |
| CRASH_P3      | 0x4     | 0x4     | 0x4     |
| 0x400001f0    | 0x1     | #GP     | #GP     |
| 0x1b          | 0x1     | ?       | ?       |
`;
  for (const [name = '', written = '', answer, read] of tableOf(ROWS).slice(1)) {
    it(`${name} := ${written}: ${answer}, then ${read}`, () => {
      const bench = activeChild();
      assert.equal(access(bench, 'write', name, BigInt(written)), answer);
      assert.equal(access(bench, 'read', name), read);
    });
  }

  it('are the registers that its parent sees, and no others', () => {
    const bench = activeChild();
    access(bench, 'write', 'SIMP', 0x5001n);
    access(bench, 'write', 'GUEST_OS_ID', 0x81n);
    access(bench, 'write', 'HYPERCALL', 0x7001n);
    assert.equal(bench.cell('partition[2].vp[0].synic.simp'), 0x5001n);
    assert.equal(bench.cell('partition[2].vp[0].reg.hypercall'), 0x7001n);
    assert.equal(bench.cell('cpu[0].synic.simp') & 1n, 0n);
    assert.equal(bench.read('GUEST_OS_ID'), '0x0');
  });

  it('belong to the whole partition where they do', () => {
    const bench = activeChild();
    bench.call('CREATE_VP', { partition_id: 2n, vp_index: 1 });
    access(bench, 'write', 'REFERENCE_TSC', 0x9001n);
    assert.equal(access(bench, 'read', 'REFERENCE_TSC', undefined, { partition: 2n, vp: 1 }), '0x9001');
  });

  it('that are not there read 0 where the parent wants it', () => {
    const bench = activeChild();
    const action = { partition_id: 2n, property_code: 0x50017, property_value: 1n };
    bench.call('SET_PARTITION_PROPERTY', action);
    assert.deepEqual(
      [access(bench, 'read', '0x400001f0'), access(bench, 'write', '0x400001f0', 7n)],
      ['0x0', '0x7'],
    );
  });

  it('follow what the parent registered for reads and writes of one, wherever it lies', () => {
    const bench = activeChild();
    const action = (msr: number, access: number, what: number) =>
      bench.call('REGISTER_INTERCEPT_RESULT', {
        partition_id: 2n,
        intercept_type: 1,
        'parameters.msr.msr_index': msr,
        'parameters.msr.access_type': access,
        'parameters.msr.action': what,
      });
    action(0x8b, 0, 1);
    action(0x400001f0, 1, 1);
    action(0x1c, 1, 0);
    // One that is there is not concerned.
    action(0x40000080, 0, 0);
    assert.deepEqual(
      [
        access(bench, 'read', '0x8b'),
        access(bench, 'write', '0x8b', 1n),
        access(bench, 'write', '0x400001f0', 7n),
        access(bench, 'read', '0x400001f0'),
        access(bench, 'write', '0x1c', 7n),
        access(bench, 'read', 'SCONTROL'),
      ],
      ['0x0', '?', '0x7', '#GP', '#GP', '0x0'],
    );
  });

  it('of a VP that is not known are left to the record', () => {
    assert.equal(access(activeChild(), 'read', 'SIMP', undefined, { partition: 9n, vp: 0 }), '?');
  });

  it('messages to its SINT wait and come as they do on a CPU', () => {
    const bench = activeChild();
    const slot = new Uint8Array(16).fill(1);
    const message = { kind: 'message', vp: VP, component: 'hypervisor', sint: 2 } as const;
    access(bench, 'write', 'SCONTROL', 1n);
    access(bench, 'write', 'SIMP', 0x5001n);
    bench.message({ ...message, what: 'deliver', slot });
    bench.message({ ...message, what: 'busy', slot });
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[2].queued'), 1n);
    bench.message({ ...message, what: 'clear', flags: 1 });
    access(bench, 'write', 'EOM', 0n);
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[2].filled'), 1n);
    assert.equal(bench.cell('partition[2].vp[0].synic.slot[2].queued'), 0n);
  });
});

describe('hypercalls of a guest', () => {
  const known = (id = 0x81n) => {
    const bench = activeChild();
    access(bench, 'write', 'GUEST_OS_ID', id);
    return bench;
  };
  interface Given {
    readonly control?: bigint;
    readonly vp?: typeof VP;
    readonly input?: Uint8Array;
    readonly inputGpa?: bigint;
    readonly outputGpa?: bigint;
    readonly fast?: boolean;
    readonly reps?: number;
  }
  const call = (name: string, given: Given = {}, bench = known()) => {
    const { control = 0n, vp = VP, input = new Uint8Array(272), fast = false, reps = 0, ...pointers } = given;
    const code = hypercalls.number(name);
    const word = encodeControl({ code, fast, repCount: reps }) | control;
    const event = { kind: 'hypercall', control: word, input, vp, component: 'guest', cpu: 0 } as const;
    return HYPERVISOR.hypercall(bench.context, { ...event, ...pointers });
  };
  /** Input of GET_VP_REGISTERS: partition, VP, names. */
  const names = (partition: bigint, index: number, ...list: readonly string[]) => {
    const input = new Uint8Array(16 + 4 * list.length);
    const view = new DataView(input.buffer);
    view.setBigUint64(0, partition, true);
    view.setUint32(8, index, true);
    list.forEach((name, i) => {
      view.setUint32(16 + 4 * i, name.startsWith('0x') ? Number(name) : registers.number(name), true);
    });
    return { input, reps: list.length };
  };
  const SELF = 0xffff_ffff_ffff_ffffn;
  const VP_SELF = 0xffff_fffe;

  /** Call, status, rule. Source: TLFS 2013, partition privileges. */
  const CHECKS: readonly (readonly [name: string, status: number, rule: string])[] = [
    ['CREATE_PARTITION', 6, 'TLFS2013.privilege.guest'],
    ['CREATE_VP', 6, 'TLFS2013.privilege.guest'],
    ['POST_MESSAGE', 0x12, 'TLFS.connection.unknown'],
    ['SIGNAL_EVENT', 0x12, 'TLFS.connection.unknown'],
    ['NOTIFY_LONG_SPIN_WAIT', 0, 'TLFS.flush.nothing-to-do'],
    ['FLUSH_VIRTUAL_ADDRESS_SPACE', 0, 'TLFS.flush.nothing-to-do'],
    ['GET_PARTITION_ID', 6, 'TLFS2013.privilege.guest'],
    ['SEND_IPI', 5, 'TLFS.ipi.vector'],
    ['START_VP', 2, 'unmodelled'],
  ];
  for (const [name, status, rule] of CHECKS) {
    it(`${name}: ${rule}`, () => {
      const answer = call(name);
      assert.deepEqual([answer.result.status, answer.rule, answer.fault ?? false], [status, rule, false]);
    });
  }

  it('send an interrupt to VPs of their own partition, by a mask or by a set', () => {
    const bench = activeChild({}, 200);
    access(bench, 'write', 'GUEST_OS_ID', 0x81n);
    for (const index of [1, 70]) bench.call('CREATE_VP', { partition_id: 2n, vp_index: index });
    const requested = (index: number) => bench.cell(`partition[2].vp[${index}].interrupt.irr[2]`);
    const words = (...values: readonly bigint[]) => new Uint8Array(new BigUint64Array(values).buffer);
    const ipi = (name: string, variable: bigint, ...values: readonly bigint[]) =>
      call(name, { input: words(...values), control: variable << 17n }, bench).rule;
    assert.equal(ipi('SEND_IPI', 0n, 0x41n, 0b10n), 'TLFS.ipi.send');
    assert.deepEqual([0, 1, 70].map(requested), [0n, 2n, 0n]);
    assert.equal(ipi('SEND_IPI_EX', 2n, 0x42n, 0n, 0b11n, 1n, 1n << 6n), 'TLFS.ipi.send');
    assert.deepEqual([0, 1, 70].map(requested), [4n, 2n, 4n]);
    assert.equal(ipi('SEND_IPI_EX', 1n, 0x43n, 0n, 0b10n, 1n << 6n), 'TLFS.ipi.send');
    assert.deepEqual([0, 1, 70].map(requested), [4n, 2n, 12n]);
    assert.equal(ipi('SEND_IPI_EX', 0n, 0x44n, 1n, 0n), 'TLFS.ipi.send');
    assert.deepEqual([0, 1, 70].map(requested), [20n, 18n, 28n]);
  });

  it('are judged by their control word first', () => {
    assert.equal(call('POST_MESSAGE', { control: 1n << 60n }).rule, 'TLFS.control.reserved');
    assert.equal(call('CREATE_VP', { vp: { partition: 9n, vp: 0 } }).rule, 'unmodelled');
  });

  it('raise #UD before the guest has said who it is', () => {
    const answer = call('POST_MESSAGE', { control: 1n << 60n }, known(0n));
    assert.deepEqual([answer.fault, answer.rule], [true, 'KVM.guest.no-guest-os-id']);
  });

  it('have blocks that are aligned and in one page, by the size that the control word asks for', () => {
    const rules = [0x1004n, 0x1ff8n, 0x1000n].map((inputGpa) => call('POST_MESSAGE', { inputGpa }).rule);
    assert.deepEqual(rules, [
      'TLFS.pointer.alignment',
      'TLFS.pointer.page-crossing',
      'TLFS.connection.unknown',
    ]);
    const asked = names(SELF, VP_SELF, 'GUEST_OS_ID', 'VP_INDEX');
    assert.equal(
      call('GET_VP_REGISTERS', { ...asked, outputGpa: 0x1ff0n }).rule,
      'TLFS.pointer.page-crossing',
    );
    assert.equal(call('GET_VP_REGISTERS', { ...asked, outputGpa: 0x1fe0n }).rule, 'TLFS.guest.get-registers');
    const fast = { input: asked.input.slice(0, 16), reps: 2, fast: true };
    assert.equal(call('GET_VP_REGISTERS', fast).rule, 'TLFS.control.fast-size');
  });

  it('set the synthetic registers of the own partition as their MSRs are', () => {
    const bench = activeChild();
    access(bench, 'write', 'GUEST_OS_ID', 0x81n);
    const set = (name: number, value: bigint, id = 0xffff_ffff_ffff_ffffn) => {
      const input = new Uint8Array(48);
      const view = new DataView(input.buffer);
      view.setBigUint64(0, id, true);
      view.setUint32(8, 0xffff_fffe, true);
      view.setUint32(16, name, true);
      view.setBigUint64(32, value, true);
      return bench.raw('SET_VP_REGISTERS', input, { reps: 1, vp: VP }).status;
    };
    assert.deepEqual(
      [set(0xa0003, 0x25n), set(0xa0003, 5n), set(0x20000, 1n), set(0xa0003, 0x25n, 1n)],
      ['SUCCESS', 'INVALID_REGISTER_VALUE', 'ACCESS_DENIED', 'ACCESS_DENIED'],
    );
    assert.equal(bench.cell('partition[2].vp[0].synic.sint[3]'), 0x25n);
  });

  it('read the synthetic registers of their own partition, and no others', () => {
    const bench = known(0x1234n);
    const read = (partition: bigint, index: number, ...list: readonly string[]) => {
      const { result, output = new Uint8Array(0) } = call(
        'GET_VP_REGISTERS',
        names(partition, index, ...list),
        bench,
      );
      const values = new BigUint64Array(output.slice().buffer);
      return [result.status, result.reps, ...values.filter((_, i) => i % 2 === 0)];
    };
    access(bench, 'write', 'SINT3', 0x44n);
    assert.deepEqual(read(SELF, VP_SELF, 'GUEST_OS_ID', 'SINT3', 'VP_INDEX'), [0, 3, 0x1234n, 0x44n, 0n]);
    assert.deepEqual(read(SELF, 0, 'SINT3'), [0, 1, 0x44n]);
    assert.deepEqual(read(SELF, 5, 'SINT3'), [0xe, 0]);
    assert.deepEqual(read(2n, 0, 'SINT3'), [6, 0]);
    assert.deepEqual(read(SELF, VP_SELF, 'SINT3', 'RAX'), [6, 1, 0x44n]);
    assert.deepEqual(read(SELF, VP_SELF, '0x9ffff'), [5, 0]);
  });
});
