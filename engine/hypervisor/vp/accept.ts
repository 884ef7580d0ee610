import { fieldOf, readU32, registers, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { RegisterValue } from '../../trace/event.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { EXTINT_PENDING } from './interrupt.ts';
import { interruptToTake, takeInterrupt } from './request.ts';

const { interrupt, ran } = VP.slots;
const NAME = registers.number('PENDING_INTERRUPTION');
const FIELD = {
  pending: fieldOf('hv_x64_pending_interruption_register', 'interruption_pending'),
  type: fieldOf('hv_x64_pending_interruption_register', 'interruption_type'),
  vector: fieldOf('hv_x64_pending_interruption_register', 'interruption_vector'),
};
const EXTERNAL = 0;
const VECTOR_MASK = 0xff;

/** The vector that the processor gets if it can take an interrupt now: an EXTINT before those of the LAPIC. */
export function offeredInterrupt(context: Context, vp: ObjectId): number | undefined {
  const external = context.store.low(cellAt(vp, interrupt.extint));
  if ((external & EXTINT_PENDING) !== 0) return external & VECTOR_MASK;
  return interruptToTake(context, vp);
}

/** The register of a VP that is about to enter the handler of an external interrupt, or of one that has. */
export function pendingInterruption(vector: number | undefined): RegisterValue {
  const bytes = new Uint8Array(8);
  if (vector !== undefined) {
    writeField(bytes, FIELD.pending, 1);
    writeField(bytes, FIELD.type, EXTERNAL);
    writeField(bytes, FIELD.vector, vector);
  }
  return { name: NAME, value: new DataView(bytes.buffer).getBigUint64(0, true) };
}

/**
 * A guest changed this register before it stopped: an interruption that is pending is the interrupt that it has taken. An
 * EXTINT is acknowledged by that, one of the LAPIC is in service (TLFS 2013, virtual interrupts).
 */
export function acceptInterrupt(context: Context, vp: ObjectId, { name, value }: RegisterValue): void {
  if (name !== NAME) return;
  const { store } = context;
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, value & 0xffff_ffff_ffff_ffffn, true);
  if (readU32(bytes, FIELD.pending) === 0 || readU32(bytes, FIELD.type) !== EXTERNAL) return;
  const external = cellAt(vp, interrupt.extint);
  if ((store.low(external) & EXTINT_PENDING) !== 0) store.set(external, 0);
  else takeInterrupt(context, vp);
  // It goes on at once.
  if (store.low(cellAt(vp, ran)) === 0) store.set(cellAt(vp, ran), 1);
}
