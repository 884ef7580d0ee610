import { fieldOf, readU32, registers, writeField } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { RegisterValue } from '../../trace/event.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { acknowledgeExtint, waitingExtint } from './extint.ts';
import { interruptToTake, takeInterrupt } from './request.ts';

const { interrupt, ran } = VP.slots;
const NAME = registers.number('PENDING_INTERRUPTION');
const FIELD = {
  pending: fieldOf('hv_x64_pending_interruption_register', 'interruption_pending'),
  type: fieldOf('hv_x64_pending_interruption_register', 'interruption_type'),
  vector: fieldOf('hv_x64_pending_interruption_register', 'interruption_vector'),
};
/** Types of an interruption (Linux 7.2 hvgdk: enum hv_x64_pending_interruption_type). */
const EXTERNAL = 0;
const NMI = 2;
const NMI_VECTOR = 2;

/** An interrupt that a processor is to take; an NMI comes whatever RFLAGS says. */
export interface Offered {
  readonly vector: number;
  readonly nmi: boolean;
}

/** What the processor gets if it can take an interrupt now: an NMI, else an EXTINT, else one of the LAPIC. */
export function offeredInterrupt(context: Context, vp: ObjectId): Offered | undefined {
  const { store } = context;
  if (store.low(cellAt(vp, interrupt.nmi)) !== 0) return { vector: NMI_VECTOR, nmi: true };
  const external = waitingExtint(context, vp);
  if (external !== undefined) return { vector: external, nmi: false };
  const vector = interruptToTake(context, vp);
  return vector === undefined ? undefined : { vector, nmi: false };
}

/** The register of a VP that is about to enter the handler of an interrupt, or of one that has. */
export function pendingInterruption(offered: Offered | undefined): RegisterValue {
  const bytes = new Uint8Array(8);
  if (offered !== undefined) {
    writeField(bytes, FIELD.pending, 1);
    writeField(bytes, FIELD.type, offered.nmi ? NMI : EXTERNAL);
    writeField(bytes, FIELD.vector, offered.vector);
  }
  return { name: NAME, value: new DataView(bytes.buffer).getBigUint64(0, true) };
}

/**
 * A guest changed this register before it stopped: an interruption that is pending is the interrupt that it has taken. An
 * EXTINT is acknowledged by that, an NMI taken, one of the LAPIC is in service (TLFS 2013, virtual interrupts).
 */
export function acceptInterrupt(context: Context, vp: ObjectId, { name, value }: RegisterValue): void {
  if (name !== NAME) return;
  const { store } = context;
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, value & 0xffff_ffff_ffff_ffffn, true);
  const type = readU32(bytes, FIELD.type);
  if (readU32(bytes, FIELD.pending) === 0 || (type !== EXTERNAL && type !== NMI)) return;
  if (type === NMI) store.set(cellAt(vp, interrupt.nmi), 0);
  else if (waitingExtint(context, vp) !== undefined) acknowledgeExtint(context, vp);
  else takeInterrupt(context, vp);
  // It goes on at once.
  if (store.low(cellAt(vp, ran)) === 0) store.set(cellAt(vp, ran), 1);
}
