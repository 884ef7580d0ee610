import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';

/** The reference counter counts 100 ns (TLFS, partition reference time). */
const NS_PER_TICK = 100;
const { offset, last } = PARTITION.slots.reference;

/** When an event happened; 0 for one that has no time, as in a test of the hypervisor alone. */
export function timeOf(event: object): number {
  return 't' in event && typeof event.t === 'number' ? event.t : 0;
}

/** Ticks of the trace's own time. */
function ticks(tNs: number): bigint {
  return BigInt(Math.floor(tNs / NS_PER_TICK));
}

/**
 * Reference time of a partition at a time of the trace, in 100 ns. It begins with the trace, until a value that was read or
 * set tells where it really stood.
 */
export function referenceTime({ store }: Context, partition: ObjectId, tNs: number): bigint {
  return BigInt.asUintN(64, ticks(tNs) + store.get(cellAt(partition, offset)));
}

/** It stands at `value` at that time. */
export function setReferenceTime({ store }: Context, partition: ObjectId, tNs: number, value: bigint): void {
  const cell = cellAt(partition, offset);
  const now = BigInt.asUintN(64, value - ticks(tNs));
  if (store.get(cell) !== now) store.set(cell, now);
}

/**
 * What a read of the reference time gives. Nobody can know how the clock of the trace and that of the hypervisor
 * stand to each other, so a recorded value is taken; but the reference time never goes back (TLFS).
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
  const value = recorded === undefined || recorded < before ? own : context.bind('clock', recorded, own);
  setReferenceTime(context, partition, tNs, value);
  store.set(cellAt(partition, last), value);
  return value;
}

/** The first time of the trace, from `tNs` on, at which the reference time is `value`; 0 where no trace lasts as long. */
export function whenReached(context: Context, partition: ObjectId, value: bigint, tNs: number): number {
  const now = referenceTime(context, partition, tNs);
  return value <= now ? Math.max(tNs, 1) : after(tNs, value - now);
}

/** The time of the trace `count` ticks after another; 0 where no trace lasts as long. */
export function after(tNs: number, count: bigint): number {
  const at = BigInt(tNs) + count * BigInt(NS_PER_TICK);
  return at > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(at);
}
