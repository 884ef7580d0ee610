import { msrs } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import { type CellId, type ObjectId, TOP } from '../../state/store.ts';
import { CPU, CPU_MSR } from '../cells/cpu.ts';
import { cellAt } from '../cells/place.ts';
import { CRASH_COUNT, VP } from '../cells/vp.ts';
import { type Access, type AccessRule, answered, faulted, type MsrRow, taught } from './row.ts';

const REGISTER = 'TLFS.msr.register';

/** MSRs of a VP, which are registers of its parent's view too, by the slot that holds them. */
const { reg } = VP.slots;
const VP_SLOTS: ReadonlyMap<number, number> = new Map([
  [msrs.number('GUEST_OS_ID'), reg.guestOsId],
  [msrs.number('HYPERCALL'), reg.hypercall],
  [msrs.number('VP_INDEX'), reg.vpIndex],
  [msrs.number('REFERENCE_TSC'), reg.referenceTsc],
  [msrs.number('VP_ASSIST_PAGE'), reg.vpAssist],
  ...Array.from({ length: CRASH_COUNT }, (_, i): [number, number] => [
    msrs.number(`CRASH_P${i}`),
    reg.crash.first + i,
  ]),
  [msrs.number('CRASH_CTL'), reg.crashControl],
  [msrs.number('REENLIGHTENMENT_CONTROL'), reg.reenlightenment],
  [msrs.number('TSC_EMULATION_CONTROL'), reg.tscEmulation],
  [msrs.number('TSC_EMULATION_STATUS'), reg.tscEmulationStatus],
  [msrs.number('TSC_INVARIANT_CONTROL'), reg.tscInvariant],
]);

/** The cell of an MSR on one CPU or VP. */
export function msrCell(context: Context, owner: ObjectId, msr: number): CellId {
  const object = context.store.find(owner, CPU_MSR, msr);
  if (object !== undefined) return cellAt(object, CPU_MSR.slots.value);
  const slot = VP_SLOTS.get(msr);
  if (slot === undefined || !isVp(context, owner)) throw new Error(`MSR 0x${msr.toString(16)} has no cell`);
  return cellAt(owner, slot);
}

/** The owner is a VP of a child partition, not a CPU of the own one. */
export function isVp({ store }: Context, owner: ObjectId): boolean {
  return store.parent(owner) !== TOP;
}

/** All CPUs or VPs of the owner's partition. */
function siblings(context: Context, owner: ObjectId): readonly ObjectId[] {
  const { store } = context;
  return isVp(context, owner) ? store.children(store.parent(owner), VP) : store.children(TOP, CPU);
}

/** Reads what the cell holds. */
export const readPlain: AccessRule = (context, cpu, access) => {
  const cell = msrCell(context, cpu, access.msr);
  return context.store.known(cell)
    ? answered(context.store.get(cell), REGISTER)
    : taught(context, cell, access);
};

/** Keeps what is written, on this CPU. */
export const writePlain: AccessRule = (context, cpu, access) => {
  const value = access.value ?? 0n;
  context.store.set(msrCell(context, cpu, access.msr), value);
  return answered(value, REGISTER);
};

/** Sets a register that the whole partition of `owner` has only once: every CPU reads the same. */
export function setOnAllCpus(context: Context, owner: ObjectId, msr: number, value: bigint): void {
  for (const cpu of siblings(context, owner)) context.store.set(msrCell(context, cpu, msr), value);
}

/** Keeps what is written, for the whole partition. */
export const writeShared: AccessRule = (context, cpu, access) => {
  const value = access.value ?? 0n;
  setOnAllCpus(context, cpu, access.msr, value);
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
