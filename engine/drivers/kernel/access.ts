import type { BindReason } from '../../machine/bindable.ts';
import type { DriverRun } from '../../machine/child.ts';

/** Who accesses, and where. */
export interface Actor {
  readonly component: string;
  readonly cpu: number;
}

/** RDMSR. One that faults gives 0, after a warning (Linux 7.2 arch/x86/mm/extable.c, ex_handler_msr). */
export function* readMsr(actor: Actor, msr: number): DriverRun<bigint> {
  const { component, cpu } = actor;
  const answer = yield { kind: 'msr', dir: 'read', cpu, component, msr };
  return answer.kind === 'msr' && !answer.fault ? answer.value : 0n;
}

/** WRMSR. One that faults is logged and otherwise ignored (the same). Gives the value as it was written. */
export function* writeMsr(actor: Actor, msr: number, value: bigint, bind?: BindReason): DriverRun<bigint> {
  const { component, cpu } = actor;
  const access = { kind: 'msr', dir: 'write', cpu, component, msr, value } as const;
  const answer = yield bind === undefined ? access : { ...access, bind };
  return answer.kind === 'msr' ? answer.value : value;
}

/** Reads a register, changes it and writes it back; gives the value as it was written. */
export function* updateMsr(
  actor: Actor,
  msr: number,
  change: (value: bigint) => bigint,
  bind?: BindReason,
): DriverRun<bigint> {
  const value = yield* readMsr(actor, msr);
  return yield* writeMsr(actor, msr, change(value), bind);
}
