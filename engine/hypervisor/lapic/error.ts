import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { requestInterrupt } from '../vp/request.ts';
import { LVT, LVT_MASKED } from './lvt.ts';

/** Bits of the error status register (Intel SDM 3, 12.5.3). */
export const APIC_ERROR = { sentVector: 1 << 5, register: 1 << 7 } as const;

const { lapic } = VP.slots;
const VECTOR_MASK = 0xff;
const FIRST_VECTOR = 16;

/** An error of the APIC: it is shown once the status register has been written, and told by its own interrupt. */
export function apicError(context: Context, vp: ObjectId, bit: number): void {
  const { store } = context;
  const cell = cellAt(vp, lapic.errors);
  if ((store.low(cell) & bit) !== 0) return;
  store.set(cell, store.low(cell) | bit);
  const entry = store.low(cellAt(vp, lapic.lvt.first + LVT.error));
  const vector = entry & VECTOR_MASK;
  if ((entry & LVT_MASKED) === 0 && vector >= FIRST_VECTOR) requestInterrupt(context, vp, vector);
}

/** Writing the status register shows the errors since it was last written. */
export function showErrors({ store }: Context, vp: ObjectId): void {
  store.set(cellAt(vp, lapic.esr), store.low(cellAt(vp, lapic.errors)));
  store.set(cellAt(vp, lapic.errors), 0);
}
