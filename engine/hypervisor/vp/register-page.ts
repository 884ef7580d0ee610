import { constantNumber, fieldOf, structOf, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { PageBytes } from '../../trace/event.ts';
import { cellAt, knownOr } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { PLACES } from './places.ts';
import { PAGE_FIELDS, readPageField, touches, writePageField } from './register-page-fields.ts';
import { keepWritten, writtenOf } from './register-page-written.ts';
import { mayRun } from './suspend.ts';
import { registerOf } from './values.ts';

/** The rule by which a parent changes registers on the register page of a VP. */
export const REGISTER_PAGE_WRITTEN = 'HDR.register-page.written';

const STRUCT = 'hv_vp_register_page';
const HEADER = {
  version: fieldOf(STRUCT, 'version'),
  valid: fieldOf(STRUCT, 'isvalid'),
  dirty: fieldOf(STRUCT, 'dirty'),
};
const VECTORS = fieldOf(STRUCT, 'interrupt_vectors.as_uint64');
const PAGE_BYTES = structOf(STRUCT).size;
const WORD_BYTES = 8;
const BYTE_BITS = 8;
const VERSION = constantNumber('HV_VP_REGISTER_PAGE_VERSION_1');
const { page, registerPage, injected } = VP.slots;

/** Where the cells of a register go, and how many of their bytes. */
const COPIES = PAGE_FIELDS.flatMap(({ register, offset }) =>
  (PLACES.get(register)?.parts ?? []).map(({ slot, word, shift, mask }) => ({
    slot,
    offset: offset + WORD_BYTES * word + Number(shift) / BYTE_BITS,
    bytes: mask.toString(2).length / BYTE_BITS,
  })),
);
const WITHOUT_CELLS = PAGE_FIELDS.filter(({ register }) => !PLACES.has(register));

/** The VP has stopped: from now on its page shows it, where it has one. */
export function showOnPage({ store, profile }: Context, vp: ObjectId): void {
  const shown = cellAt(vp, registerPage.shown);
  if (profile.registerPage === 'none' || !store.known(shown) || store.low(shown) === 1) return;
  const frame = cellAt(vp, page.registers);
  if (store.known(frame) && (store.low(frame) | store.high(frame)) !== 0) store.set(shown, 1);
}

/**
 * Whether the page says that it shows the VP's registers: from the first stop on (profile `registerPage=stopped`) while the VP
 * stands still, with `always` also while it runs. Of a VP that has not run yet no public source tells; the rust-vmm mshv crate
 * found the flag clear when a VP is made (its pull request 200), and reads registers by hypercalls then.
 */
export function isPageValid(context: Context, vp: ObjectId): boolean {
  const { store, profile } = context;
  if (profile.registerPage === 'none' || store.low(cellAt(vp, registerPage.shown)) === 0) return false;
  return profile.registerPage === 'always' || !mayRun(context, vp);
}

/** What stands on the page: nothing before the VP has stopped once. What its parent has put there is there until it is taken. */
export function registerPageOf(context: Context, vp: ObjectId): Uint8Array {
  const { store } = context;
  const bytes = new Uint8Array(PAGE_BYTES);
  writeField(bytes, VECTORS, store.get(cellAt(vp, injected)));
  if (store.low(cellAt(vp, registerPage.shown)) === 0) return bytes;
  writeField(bytes, HEADER.version, VERSION);
  writeField(bytes, HEADER.valid, Number(isPageValid(context, vp)));
  writeField(bytes, HEADER.dirty, store.low(cellAt(vp, registerPage.dirty)));
  const view = new DataView(bytes.buffer);
  for (const { slot, offset, bytes: size } of COPIES) {
    const cell = cellAt(vp, slot);
    if (size === 2) view.setUint16(offset, store.low(cell), true);
    else view.setUint32(offset, store.low(cell), true);
    if (size === 8) view.setUint32(offset + 4, store.high(cell), true);
  }
  for (const field of WITHOUT_CELLS) writePageField(bytes, field, registerOf(context, vp, field.register));
  for (const [place, value] of writtenOf(context, vp)) {
    const field = PAGE_FIELDS[place];
    if (field !== undefined) writePageField(bytes, field, value);
  }
  return bytes;
}

/**
 * A parent writes to the page: it waits there until the VP goes on. While the VP runs, or before the page shows it, what is
 * written is lost: the hypervisor writes the page anew when the VP stops (choice: the sources say only that it is not to be done).
 */
export function writeToPage(context: Context, vp: ObjectId, parts: readonly PageBytes[]): void {
  const { store } = context;
  if (mayRun(context, vp) || knownOr(context, cellAt(vp, registerPage.shown), 1n) === 0n) return;
  const bytes = registerPageOf(context, vp);
  for (const { offset, bytes: part } of parts) {
    if (offset < PAGE_BYTES) bytes.set(part.subarray(0, PAGE_BYTES - offset), offset);
  }
  const entries = writtenOf(context, vp);
  PAGE_FIELDS.forEach((field, place) => {
    if (touches(parts, field)) entries.set(place, readPageField(bytes, field));
  });
  keepWritten(context, vp, entries);
  const marks = new DataView(bytes.buffer).getUint32(HEADER.dirty.offset, true);
  const cell = cellAt(vp, registerPage.dirty);
  if (store.low(cell) !== marks) store.set(cell, marks);
}
