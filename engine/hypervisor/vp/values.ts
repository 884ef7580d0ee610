import type { Context } from '../../machine/context.ts';
import type { CellStore, ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP, VP_REGISTER } from '../cells/vp.ts';
import { PLACES, type Place } from './places.ts';

/** A register's value in two halves, so that hot paths need no numbers of 128 bits. */
export interface Wide {
  readonly low: bigint;
  readonly high: bigint;
}

const ZERO: Wide = { low: 0n, high: 0n };
const ALL = 0xffff_ffff_ffff_ffffn;
const { stale, ran } = VP.slots;

function readPlace({ store }: Context, vp: ObjectId, { parts, whole }: Place): Wide {
  if (whole !== undefined) return { low: store.get(cellAt(vp, whole)), high: 0n };
  let low = 0n;
  let high = 0n;
  for (const { slot, word, shift } of parts) {
    const value = store.get(cellAt(vp, slot)) << shift;
    if (word === 0) low |= value;
    else high |= value;
  }
  return { low, high };
}

/** What a register holds; 0 for one that has no cell and was never given a value. */
export function registerOf(context: Context, vp: ObjectId, name: number): Wide {
  const place = PLACES.get(name);
  if (place !== undefined) return readPlace(context, vp, place);
  const id = context.store.find(vp, VP_REGISTER, name);
  if (id === undefined) return ZERO;
  const { low, high } = VP_REGISTER.slots;
  return { low: context.store.get(cellAt(id, low)), high: context.store.get(cellAt(id, high)) };
}

/** Whether the value of a register is known: the guest has not run unseen since it was last read or written. */
export function isFresh({ store }: Context, vp: ObjectId, name: number): boolean {
  const place = PLACES.get(name);
  if (place === undefined) {
    return store.low(cellAt(vp, ran)) === 0 && store.find(vp, VP_REGISTER, name) !== undefined;
  }
  if (store.low(cellAt(vp, ran)) === 1) return false;
  for (const { slot } of place.parts) if (!store.known(cellAt(vp, slot))) return false;
  return !isStale(store, vp, place);
}

function isStale(store: CellStore, vp: ObjectId, { stale }: Place): boolean {
  const cell = cellAt(vp, stale.slot);
  return ((store.low(cell) & stale.low) | (store.high(cell) & stale.high)) !== 0;
}

/** Nothing is known of the registers any more. */
export function forgetRegisters({ store }: Context, vp: ObjectId): void {
  for (let i = 0; i < stale.count; i++) store.set(cellAt(vp, stale.first + i), ALL);
  for (const id of store.children(vp, VP_REGISTER)) store.destroy(id);
  if (store.low(cellAt(vp, ran)) === 1) store.set(cellAt(vp, ran), 0);
}

/** What the cells of a register hold when it has a value. */
export function cellValues(
  { parts }: Place,
  low: bigint,
  high: bigint,
): readonly { readonly slot: number; readonly value: bigint }[] {
  return parts.map(({ slot, word, shift, mask }) => ({
    slot,
    value: ((word === 0 ? low : high) >> shift) & mask,
  }));
}

/** Gives a register a value, which is known from then on. */
export function setRegister(context: Context, vp: ObjectId, name: number, { low, high }: Wide): void {
  const { store } = context;
  if (store.low(cellAt(vp, ran)) === 1) forgetRegisters(context, vp);
  const place = PLACES.get(name);
  if (place === undefined) {
    const id = store.find(vp, VP_REGISTER, name) ?? store.create(vp, VP_REGISTER, name);
    store.set(cellAt(id, VP_REGISTER.slots.low), low);
    store.set(cellAt(id, VP_REGISTER.slots.high), high);
    return;
  }
  if (place.whole !== undefined) store.set(cellAt(vp, place.whole), low);
  else for (const { slot, value } of cellValues(place, low, high)) store.set(cellAt(vp, slot), value);
  if (!isStale(store, vp, place)) return;
  const cell = cellAt(vp, place.stale.slot);
  store.setWords(cell, store.low(cell) & ~place.stale.low, store.high(cell) & ~place.stale.high);
}
