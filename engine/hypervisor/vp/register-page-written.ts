import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { PAGE_FIELDS } from './register-page-fields.ts';
import { setRegister, type Wide } from './values.ts';

/**
 * What the parent of a VP has put into its register page and the VP has not taken: kept apart from the registers of the VP, which
 * a call still reads as they were.
 */
const { shown, dirty, written } = VP.slots.registerPage;
/** Of each register its place in {@link PAGE_FIELDS}, and its value. */
const ENTRY = { bytes: 17, value: 1, high: 9 };

/** What stands on the page instead of the VP's own registers, by place. */
export type Written = ReadonlyMap<number, Wide>;

export function writtenOf({ store }: Context, vp: ObjectId): Map<number, Wide> {
  const blob = store.blob(store.number(cellAt(vp, written)));
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const entries = new Map<number, Wide>();
  for (let at = 0; at + ENTRY.bytes <= blob.length; at += ENTRY.bytes) {
    const low = view.getBigUint64(at + ENTRY.value, true);
    entries.set(view.getUint8(at), { low, high: view.getBigUint64(at + ENTRY.high, true) });
  }
  return entries;
}

/** What is not known, of a VP that was there before the recording, is taken to be nothing. */
function holds({ store }: Context, vp: ObjectId, slot: number): boolean {
  const cell = cellAt(vp, slot);
  return store.known(cell) && (store.low(cell) | store.high(cell)) !== 0;
}

/** Keeps it; nothing: there is no change that waits. */
export function keepWritten({ store }: Context, vp: ObjectId, entries: Written): void {
  const bytes = new Uint8Array(entries.size * ENTRY.bytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [place, { low, high }] of entries) {
    view.setUint8(at, place);
    view.setBigUint64(at + ENTRY.value, low, true);
    view.setBigUint64(at + ENTRY.high, high, true);
    at += ENTRY.bytes;
  }
  const blob = bytes.length === 0 ? 0 : store.intern(bytes);
  const cell = cellAt(vp, written);
  if (store.number(cell) !== blob) store.set(cell, blob);
}

/** A register is set by a call: it counts, and is what the page shows of it. */
export function replaceWritten(context: Context, vp: ObjectId, register: number, value: Wide): void {
  if (!holds(context, vp, written)) return;
  const place = PAGE_FIELDS.findIndex((field) => field.register === register);
  const entries = writtenOf(context, vp);
  if (!entries.has(place)) return;
  keepWritten(context, vp, entries.set(place, value));
}

/** The VP goes on: it takes the registers of the classes that are marked, what is not marked is lost, and no mark is left. */
export function takeWritten(context: Context, vp: ObjectId): void {
  const { store } = context;
  if (holds(context, vp, dirty)) {
    const marks = store.low(cellAt(vp, dirty));
    for (const [place, value] of writtenOf(context, vp)) {
      const field = PAGE_FIELDS[place];
      if (field !== undefined && (field.dirty & marks) !== 0) setRegister(context, vp, field.register, value);
    }
    store.set(cellAt(vp, dirty), 0);
  }
  if (holds(context, vp, written)) store.set(cellAt(vp, written), 0);
}

/** Another page, or none: it shows nothing yet. */
export function forgetPage(context: Context, vp: ObjectId): void {
  for (const slot of [shown, dirty, written])
    if (holds(context, vp, slot)) context.store.set(cellAt(vp, slot), 0);
}
