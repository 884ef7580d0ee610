import { msrs } from '../abi/index.ts';
import type { Context } from '../machine/context.ts';
import type { ObjectKind } from '../state/schema.ts';
import { type ObjectId, TOP } from '../state/store.ts';
import { CPU, CPU_MSR } from './cells/cpu.ts';
import { HOST, HYPERVISOR } from './cells/host.ts';
import { PARTITION, PARTITION_STATES } from './cells/partition.ts';
import { cellAt } from './cells/place.ts';

/** Id of the partition that the trace is about. Children get the ids after it. */
export const OWN_PARTITION = 1;

const BASE_SHIFT = 12n;
/** On a nested root both hypervisors give pages; those of the one below lie this far after the others. */
const NESTED_FRAMES = 0x8000n;

/** MSRs that have a cell of their own on each CPU, besides those of the SynIC. */
const WITH_CELL = [
  'GUEST_OS_ID',
  'HYPERCALL',
  'VP_INDEX',
  'REFERENCE_TSC',
  'VP_ASSIST_PAGE',
  'CRASH_P0',
  'CRASH_P1',
  'CRASH_P2',
  'CRASH_P3',
  'CRASH_P4',
  'CRASH_CTL',
  'REENLIGHTENMENT_CONTROL',
  'TSC_EMULATION_CONTROL',
  'TSC_EMULATION_STATUS',
  'TSC_INVARIANT_CONTROL',
];

/** The machine starts anew: registers have their reset values again, partitions with their pools and ports are gone. */
export function resetPartition(context: Context): void {
  const { store } = context;
  for (const id of store.children(TOP, PARTITION)) store.destroy(id);
  store.create(TOP, PARTITION, OWN_PARTITION);
  ownIsActive(context);
  for (const cpu of store.children(TOP, CPU)) {
    const key = store.key(cpu);
    store.destroy(cpu);
    createCpu(context, Number(key), true);
  }
  for (const host of store.children(TOP, HOST)) store.destroy(host);
  store.create(TOP, HOST, 0);
}

/** Nothing of the machine is known any more but what the profile says: as where a recording begins mid-life. */
export function forgetMachine(context: Context): void {
  const { store } = context;
  const forget = (id: ObjectId, { info }: ObjectKind) => {
    for (let slot = 1; slot < info.length; slot++) store.forget(cellAt(id, slot));
  };
  for (const id of store.children(TOP, PARTITION)) {
    if (store.key(id) !== OWN_PARTITION) store.destroy(id);
    else forget(id, PARTITION);
  }
  for (const cpu of store.children(TOP, CPU)) {
    forget(cpu, CPU);
    for (const msr of store.children(cpu, CPU_MSR)) forget(msr, CPU_MSR);
    setKnown(context, cpu, Number(store.key(cpu)), context.profile.cpus === 1);
  }
  for (const kind of [HYPERVISOR, HOST]) for (const id of store.children(TOP, kind)) forget(id, kind);
  ownIsActive(context);
}

/** The state before the first event: reset values, or nothing known where the recording began mid-life. */
export function initialise(context: Context): void {
  const { store, profile } = context;
  const known = profile.initial === 'reset';
  for (let number = 0; number < profile.cpus; number++) createCpu(context, number, known);
  if (known) store.create(TOP, PARTITION, OWN_PARTITION);
  else store.createUnknown(TOP, PARTITION, OWN_PARTITION);
  ownIsActive(context);
  for (const kind of [HYPERVISOR, HOST])
    if (known) store.create(TOP, kind, 0);
    else store.createUnknown(TOP, kind, 0);
}

/** The partition that the trace is about runs. */
function ownIsActive({ store }: Context): void {
  const own = store.find(TOP, PARTITION, OWN_PARTITION);
  if (own !== undefined) store.set(cellAt(own, PARTITION.slots.state), PARTITION_STATES.indexOf('active'));
}

/** What the profile says of a CPU: which VP it is; and of the only one that it is online. */
function setKnown(context: Context, cpu: ObjectId, number: number, isOnline: boolean): void {
  setMsr(context, cpu, 'VP_INDEX', BigInt(number));
  if (isOnline) context.store.set(cellAt(cpu, CPU.slots.online), 1);
}

function createCpu(context: Context, number: number, known: boolean): void {
  const { store } = context;
  const cpu = known ? store.create(TOP, CPU, number) : store.createUnknown(TOP, CPU, number);
  for (const name of WITH_CELL) {
    const msr = msrs.number(name);
    if (known) store.create(cpu, CPU_MSR, msr);
    else store.createUnknown(cpu, CPU_MSR, msr);
  }
  setKnown(context, cpu, number, known || context.profile.cpus === 1);
  if (known) reset(context, cpu, BigInt(number));
}

function setMsr(context: Context, cpu: ObjectId, name: string, value: bigint): void {
  const object = context.store.find(cpu, CPU_MSR, msrs.number(name));
  if (object === undefined) throw new Error(`${name} has no cell`);
  context.store.set(cellAt(object, CPU_MSR.slots.value), value);
}

/** What differs from the reset values of the cells: SCONTROL by choice, the pages that a root partition is given. */
function reset(context: Context, cpu: ObjectId, number: bigint): void {
  const { store, profile } = context;
  const { synic, nested } = CPU.slots;
  if (profile.scontrolReset === '1') {
    store.set(cellAt(cpu, synic.scontrol), 1);
    store.set(cellAt(cpu, nested.synic.scontrol), 1);
  }
  if (profile.role !== 'root' && profile.role !== 'nested-root') return;
  const { simp, siefp, sirbp, hypercall, vpAssist } = profile.provided;
  store.set(cellAt(cpu, synic.simp), (simp + number) << BASE_SHIFT);
  store.set(cellAt(cpu, synic.siefp), (siefp + number) << BASE_SHIFT);
  store.set(cellAt(cpu, synic.sirbp), (sirbp + number) << BASE_SHIFT);
  setMsr(context, cpu, 'HYPERCALL', hypercall << BASE_SHIFT);
  setMsr(context, cpu, 'VP_ASSIST_PAGE', (vpAssist + number) << BASE_SHIFT);
  if (profile.role === 'nested-root') {
    store.set(cellAt(cpu, nested.synic.simp), (simp + number + NESTED_FRAMES) << BASE_SHIFT);
    store.set(cellAt(cpu, nested.synic.siefp), (siefp + number + NESTED_FRAMES) << BASE_SHIFT);
  }
}
