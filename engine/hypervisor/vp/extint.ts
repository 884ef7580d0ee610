import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';

const { extint } = VP.slots.interrupt;
const VECTOR_MASK = 0xff;
const PENDING = 0x100;
const ACKNOWLEDGED = 0x200;
/** Beside pending: the guest has run since, and may have taken it unseen. */
const IN_DOUBT = 0x400;

/** An EXTINT is asserted, acknowledged by the processor that takes it, and cleared by the parent (TLFS 2013, virtual interrupts). */
export type ExtintState = 'none' | 'pending' | 'in-doubt' | 'acknowledged';

export function extintOf({ store }: Context, vp: ObjectId): ExtintState {
  const value = store.low(cellAt(vp, extint));
  if ((value & ACKNOWLEDGED) !== 0) return 'acknowledged';
  if ((value & PENDING) === 0) return 'none';
  return (value & IN_DOUBT) === 0 ? 'pending' : 'in-doubt';
}

/** The vector of an EXTINT that a processor may take; undefined: none waits. */
export function waitingExtint({ store }: Context, vp: ObjectId): number | undefined {
  const value = store.low(cellAt(vp, extint));
  return (value & PENDING) === 0 ? undefined : value & VECTOR_MASK;
}

export function putExtint({ store }: Context, vp: ObjectId, vector: number): void {
  store.set(cellAt(vp, extint), vector | PENDING);
}

/** The processor has taken it. */
export function acknowledgeExtint({ store }: Context, vp: ObjectId): void {
  const cell = cellAt(vp, extint);
  store.set(cell, (store.low(cell) & VECTOR_MASK) | ACKNOWLEDGED);
}

/** The guest runs: what becomes of one that waits may not be seen. */
export function doubtExtint({ store }: Context, vp: ObjectId): void {
  const cell = cellAt(vp, extint);
  const value = store.low(cell);
  if ((value & (PENDING | IN_DOUBT)) === PENDING) store.set(cell, value | IN_DOUBT);
}

export function clearExtint({ store }: Context, vp: ObjectId): void {
  if (store.low(cellAt(vp, extint)) !== 0) store.set(cellAt(vp, extint), 0);
}
