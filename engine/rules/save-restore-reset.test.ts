import assert from 'node:assert/strict';
import { test } from 'node:test';
import { msrs } from '../abi/index.ts';
import { hypercall } from './calls.testing.ts';
import { saveRestoreReset } from './save-restore-reset.ts';
import { judging, Traffic } from './traffic.testing.ts';

const { only, silent } = judging([saveRestoreReset]);
const END = { phase: 'end', ret: 0 } as const;
const VP = { partition: 2n, vp: 0 };
const [HYPERCALL, RIP, SIMP] = ['HV_X64_REGISTER_HYPERCALL', 'HV_X64_REGISTER_RIP', 'HV_REGISTER_SIMP'];

function guest(...registers: readonly (readonly [name: string, value: bigint])[]): Traffic {
  const traffic = new Traffic({ role: 'root' });
  for (const [name, value] of registers) traffic.write('guest', 0, name, value, { vp: VP });
  return traffic;
}

function step(traffic: Traffic, what: string, partition: bigint, extra: object = {}): Traffic {
  return traffic.add({ kind: 'lifecycle', what, partition, ...extra });
}

function save(traffic: Traffic, names: readonly string[], vp = 0): Traffic {
  step(traffic, 'save', 2n);
  hypercall(traffic, 'HVCALL_GET_VP_REGISTERS', { partition_id: 2, vp_index: vp, names });
  return step(traffic, 'save', 2n, END);
}

function restore(traffic: Traffic, names: readonly string[]): Traffic {
  step(traffic, 'restore', 3n);
  const elements = names.map((name) => ({ name, value: '0x5000001' }));
  hypercall(traffic, 'HVCALL_SET_VP_REGISTERS', { partition_id: 3, vp_index: 0, elements });
  return step(traffic, 'restore', 3n, END);
}

test('what is in use is saved, or else named', () => {
  const used = () => guest(['HYPERCALL', 0x5000_001n], ['SIMP', 0x6000_001n]);
  const finding = only(save(used(), [RIP!, SIMP!]));
  assert.deepEqual(
    [finding.id, finding.at, finding.evidence, finding.cells],
    ['R18:vmm:save', '5', ['1', '5'], ['partition[2].vp[0].reg.hypercall']],
  );
  silent(save(used(), [RIP!, SIMP!, HYPERCALL!]));
  silent(save(guest(['HYPERCALL', 0x5000_000n], ['SINT2', 0x1_00f3n]), [RIP!]));
  assert.equal(only(save(guest(['SINT2', 0xf3n]), [RIP!])).rule, 'R18');
  silent(save(guest(['HYPERCALL', 0x5000_001n], ['HYPERCALL', 0n]), [RIP!]));
});

test('what the trace does not show: silent', () => {
  const used = () => guest(['SIMP', 0x6000_001n]);
  silent(step(step(used(), 'save', 2n), 'save', 2n, END));
  silent(save(used(), [RIP!], 1));
  silent(
    step(
      hypercall(step(used(), 'save', 2n), 'HVCALL_GET_VP_REGISTERS', {
        partition_id: 2,
        vp_index: 0,
        names: [RIP],
      }),
      'save',
      2n,
      { phase: 'end', ret: -5 },
    ),
  );
  silent(save(used().add({ kind: 'mark', what: 'gap', lost: 1 }), [RIP!]));
});

test('what was saved is restored; what was not saved is the save’s fault', () => {
  const saved = () => save(guest(['HYPERCALL', 0x5000_001n]), [RIP!, HYPERCALL!]);
  assert.equal(only(restore(saved(), [RIP!])).id, 'R18:vmm:restore');
  silent(restore(saved(), [RIP!, HYPERCALL!]));
  const left = only(restore(save(guest(['HYPERCALL', 0x5000_001n]), [RIP!]), [RIP!]));
  assert.deepEqual([left.id, left.evidence], ['R18:vmm:save', ['1', '4', '7']]);
  // A restore of what was saved elsewhere.
  silent(restore(new Traffic(), [RIP!]));
});

test('what was reset is off until somebody writes it', () => {
  const used = () => guest(['REFERENCE_TSC', 0x6000_001n]);
  const reset = (extra: object = END) =>
    step(step(used(), 'partition-reset', 2n), 'partition-reset', 2n, extra);
  const read = (traffic: Traffic, register: string, value: bigint, vp: object | undefined = VP) =>
    traffic.add({ kind: 'msr', dir: 'read', msr: msrs.number(register), value, component: 'guest', vp });
  const finding = only(read(reset(), 'REFERENCE_TSC', 0x6000_001n));
  assert.deepEqual([finding.id, finding.culprit.at, finding.at], ['R18:vmm:reset', '3', '4']);
  // As one event.
  only(read(step(used(), 'partition-reset', 2n), 'REFERENCE_TSC', 0x6000_001n));
  silent(read(reset(), 'REFERENCE_TSC', 0n));
  silent(read(reset(), 'SCONTROL', 1n));
  only(read(reset(), 'SINT2', 0xf3n));
  silent(read(reset(), 'SINT2', 0x1_0000n));
  silent(read(reset({ phase: 'end', ret: -5 }), 'REFERENCE_TSC', 0x6000_001n));
  silent(
    read(reset().write('guest', 0, 'REFERENCE_TSC', 0x6000_001n, { vp: VP }), 'REFERENCE_TSC', 0x6000_001n),
  );
  const set = {
    partition_id: 2,
    vp_index: 0,
    elements: [{ name: 'HV_REGISTER_REFERENCE_TSC', value: '0x6000001' }],
  };
  silent(read(hypercall(reset(), 'HVCALL_SET_VP_REGISTERS', set), 'REFERENCE_TSC', 0x6000_001n));
  silent(read(reset(), 'REFERENCE_TSC', 0x6000_001n, { partition: 3n, vp: 0 }));
  silent(read(used(), 'REFERENCE_TSC', 0x6000_001n));
  // Seen from within: the whole machine was reset.
  const own = new Traffic({ role: 'guest' }).add({ kind: 'lifecycle', what: 'partition-reset', ...END });
  assert.deepEqual(only(own.read('arch', 0, 'HYPERCALL', 1n)).culprit.component, 'hypervisor');
});
