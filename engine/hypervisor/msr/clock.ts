import { msrs } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import { CPU_MSR } from '../cells/cpu.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP_REGISTER } from '../cells/vp.ts';
import { OWN_PARTITION } from '../initialise.ts';
import { OWN_APIC_HZ } from '../lapic/timer.ts';
import { readReferenceTime, timeOf } from '../partition/reference.ts';
import { isVp, row } from './plain.ts';
import { type AccessRule, answered, type MsrRow, refuse } from './row.ts';

const READ_ONLY = refuse('TLFS.msr.read-only');
const VP_RUNTIME = msrs.number('VP_RUNTIME');
const { frequency } = PARTITION.slots;

const NS_PER_SECOND = 1_000_000_000n;

/**
 * What a machine of the engine's own tells: its processor counts nanoseconds, or instructions, a thousand million a second where the
 * profile does not say what one takes.
 */
const ownTsc = ({ profile: { instructionNs } }: Context): bigint =>
  NS_PER_SECOND / BigInt(Math.max(1, instructionNs));

/** The partition that a CPU or VP belongs to. */
function partitionOf(context: Context, owner: ObjectId): ObjectId {
  const { store } = context;
  const id = isVp(context, owner) ? store.parent(owner) : store.find(TOP, PARTITION, OWN_PARTITION);
  if (id === undefined) throw new Error('the own partition is gone');
  return id;
}

const readTime: AccessRule = (context, owner, access) => {
  const partition = partitionOf(context, owner);
  const value = readReferenceTime(context, partition, timeOf(access), access.value);
  return answered(value, 'TLFS.reference-time');
};

/** The hypervisor tells it once; it never changes after (TLFS, HV_X64_MSR_TSC_FREQUENCY). */
function readFrequency(slot: number, own: (context: Context) => bigint): AccessRule {
  return (context, owner, { value }) => {
    const cell = cellAt(partitionOf(context, owner), slot);
    const told = context.store.get(cell);
    if (told !== 0n) return answered(told, 'TLFS.frequency');
    const chosen = context.bind('told', value, own(context));
    context.store.set(cell, chosen);
    return answered(chosen, 'TLFS.frequency');
  };
}

/** How long the VP has run, in 100 ns: it never gets less (TLFS, HV_X64_MSR_VP_RUNTIME). */
const readRuntime: AccessRule = (context, owner, { value }) => {
  const { store } = context;
  const kind = isVp(context, owner) ? VP_REGISTER : CPU_MSR;
  const found = store.find(owner, kind, VP_RUNTIME);
  const [slot] = isVp(context, owner) ? [VP_REGISTER.slots.low] : [CPU_MSR.slots.value];
  const before = found === undefined ? 0n : store.get(cellAt(found, slot));
  const now = value === undefined || value < before ? before : context.bind('clock', value, before);
  if (now !== before) store.set(cellAt(found ?? store.create(owner, kind, VP_RUNTIME), slot), now);
  return answered(now, 'TLFS.vp-runtime');
};

/** A read puts the VP to sleep until an interrupt comes; what it gives when it goes on is not said (TLFS, GUEST_IDLE). */
const readIdle: AccessRule = (context, _owner, { value }) =>
  answered(context.bind('told', value, 0n), 'TLFS.guest-idle');

/** Clocks and what else runs by itself (TLFS, timers). */
export const CLOCK_ROWS: readonly MsrRow[] = [
  row('VP_RUNTIME', readRuntime, READ_ONLY),
  row('TIME_REF_COUNT', readTime, READ_ONLY),
  row('TSC_FREQUENCY', readFrequency(frequency.tsc, ownTsc), READ_ONLY),
  row(
    'APIC_FREQUENCY',
    readFrequency(frequency.apic, () => OWN_APIC_HZ),
    READ_ONLY,
  ),
  row('GUEST_IDLE', readIdle, READ_ONLY),
];
