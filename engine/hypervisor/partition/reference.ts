import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { FREEZES, PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';

/** The reference counter counts 100 ns (TLFS, partition reference time). */
const NS_PER_TICK = 100;
const { offset, last, freeze } = PARTITION.slots.reference;
const RUNS = FREEZES.indexOf('runs');
const FROZEN = FREEZES.indexOf('frozen');
const TOLD = FREEZES.indexOf('told');

/** When an event happened; 0 for one that has no time, as in a test of the hypervisor alone. */
export function timeOf(event: object): number {
  return 't' in event && typeof event.t === 'number' ? event.t : 0;
}

/** The reference time of a partition stands still (property HV_PARTITION_PROPERTY_TIME_FREEZE). */
export function isFrozen({ store }: Context, partition: ObjectId): boolean {
  return store.low(cellAt(partition, freeze)) !== RUNS;
}

/** Ticks of the trace's own time, by which the reference time runs. */
function ticks(context: Context, partition: ObjectId, tNs: number): bigint {
  return isFrozen(context, partition) ? 0n : BigInt(Math.floor(tNs / NS_PER_TICK));
}

/**
 * Reference time of a partition at a time of the trace, in 100 ns. It begins with the trace, until a value that was read or
 * set tells where it really stood.
 */
export function referenceTime(context: Context, partition: ObjectId, tNs: number): bigint {
  return BigInt.asUintN(64, ticks(context, partition, tNs) + context.store.get(cellAt(partition, offset)));
}

/** What is added to the time of the trace, in ticks modulo 2^64; undefined while reference time stands still. */
export function referenceOffset(context: Context, partition: ObjectId): bigint | undefined {
  return isFrozen(context, partition) ? undefined : context.store.get(cellAt(partition, offset));
}

/** It stands at `value` at that time. */
export function setReferenceTime(context: Context, partition: ObjectId, tNs: number, value: bigint): void {
  const { store } = context;
  const cell = cellAt(partition, offset);
  const now = BigInt.asUintN(64, value - ticks(context, partition, tNs));
  if (store.get(cell) !== now) store.set(cell, now);
}

/** It stops at what it is, or goes on from there. */
export function freezeReferenceTime(
  context: Context,
  partition: ObjectId,
  tNs: number,
  isToFreeze: boolean,
): void {
  if (isFrozen(context, partition) === isToFreeze) return;
  const value = referenceTime(context, partition, tNs);
  context.store.set(cellAt(partition, freeze), isToFreeze ? FROZEN : RUNS);
  setReferenceTime(context, partition, tNs, value);
}

/**
 * What a read of the reference time gives. Nobody can know how the clock of the trace and that of the hypervisor
 * stand to each other, so a recorded value is taken; but the reference time never goes back (TLFS), and while it is frozen
 * every read gives the same.
 */
export function readReferenceTime(
  context: Context,
  partition: ObjectId,
  tNs: number,
  recorded: bigint | undefined,
): bigint {
  const { store } = context;
  const before = store.get(cellAt(partition, last));
  const now = referenceTime(context, partition, tNs);
  const own = now < before ? before : now;
  const state = store.low(cellAt(partition, freeze));
  const isKnown = recorded === undefined || recorded < before || state === TOLD;
  const value = isKnown ? own : context.bind('clock', recorded, own);
  setReferenceTime(context, partition, tNs, value);
  if (state === FROZEN) store.set(cellAt(partition, freeze), TOLD);
  store.set(cellAt(partition, last), value);
  return value;
}

/**
 * The first time of the trace, from `tNs` on, at which the reference time is `value`; 0 where no trace lasts as long, or it stands
 * still.
 */
export function whenReached(context: Context, partition: ObjectId, value: bigint, tNs: number): number {
  const now = referenceTime(context, partition, tNs);
  if (isFrozen(context, partition)) return 0;
  return value <= now ? Math.max(tNs, 1) : after(tNs, value - now);
}

/** The time of the trace `count` ticks after another; 0 where no trace lasts as long. */
export function after(tNs: number, count: bigint): number {
  const at = BigInt(tNs) + count * BigInt(NS_PER_TICK);
  return at > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(at);
}
