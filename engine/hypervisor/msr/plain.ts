import { msrs } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import { type CellId, type ObjectId, TOP } from '../../state/store.ts';
import { CPU, CPU_MSR } from '../cells/cpu.ts';
import { cellAt } from '../cells/place.ts';
import { type Access, type AccessRule, answered, faulted, type MsrRow, unmodelled } from './row.ts';

const REGISTER = 'TLFS.msr.register';

/** The cell of an MSR on one CPU. */
export function msrCell(context: Context, cpu: ObjectId, msr: number): CellId {
  const object = context.store.find(cpu, CPU_MSR, msr);
  if (object === undefined) throw new Error(`MSR 0x${msr.toString(16)} has no cell`);
  return cellAt(object, CPU_MSR.slots.value);
}

/** Reads what the cell holds. */
export const readPlain: AccessRule = (context, cpu, access) => {
  const cell = msrCell(context, cpu, access.msr);
  return context.store.known(cell) ? answered(context.store.get(cell), REGISTER) : unmodelled(access);
};

/** Keeps what is written, on this CPU. */
export const writePlain: AccessRule = (context, cpu, access) => {
  const value = access.value ?? 0n;
  context.store.set(msrCell(context, cpu, access.msr), value);
  return answered(value, REGISTER);
};

/** Sets a register that the whole partition has only once: every CPU reads the same. */
export function setOnAllCpus(context: Context, msr: number, value: bigint): void {
  for (const cpu of context.store.children(TOP, CPU)) context.store.set(msrCell(context, cpu, msr), value);
}

/** Keeps what is written, for the whole partition. */
export const writeShared: AccessRule = (context, _cpu, access) => {
  const value = access.value ?? 0n;
  setOnAllCpus(context, access.msr, value);
  return answered(value, REGISTER);
};

/** Refuses a write that `bad` objects to, else hands it on. */
export function guarded(
  rule: string,
  bad: (context: Context, cpu: ObjectId, access: Access) => boolean,
  write: AccessRule,
): AccessRule {
  return (context, cpu, access) => (bad(context, cpu, access) ? faulted(rule) : write(context, cpu, access));
}

export function row(name: string, read: AccessRule, write: AccessRule): MsrRow {
  return { msr: msrs.number(name), read, write };
}
