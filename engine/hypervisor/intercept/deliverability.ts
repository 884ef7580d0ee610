import { fieldOf, messageTypes, readU32, registers } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';

/**
 * A parent asks to be told when a VP can take an NMI or an interrupt, or has free slots of SINTs: bit 0, bit 1 with the priority in
 * bits 2 to 5, bits 48 to 63 (WHV_X64_DELIVERABILITY_NOTIFICATIONS_REGISTER of the Windows Hypervisor Platform; OpenVMM hvdef).
 */
export const DELIVERABILITY = registers.number('DELIVERABILITY_NOTIFICATIONS');
export const DELIVERABILITY_BITS = 0xffff_0000_0000_003fn;
const NMI = 1n;
const INTERRUPT = 0x3en;
const FIRST_SINT = 48n;

const SINT_DELIVERABLE = messageTypes.number('HVMSG_SYNIC_SINT_DELIVERABLE');
const INTERRUPTION_DELIVERABLE = messageTypes.number('HVMSG_X64_INTERRUPTION_DELIVERABLE');
const SINTS = fieldOf('hv_x64_sint_deliverable_message', 'deliverable_sints');
const TYPE = fieldOf('hv_x64_interruption_deliverable_message', 'deliverable_type');
/** Of hv_x64_pending_interruption_type. */
const TYPE_NMI = 2;

/** What a message tells of, as the bits by which it was asked for. */
function toldBits(type: number, payload: Uint8Array): bigint {
  if (type === SINT_DELIVERABLE) return BigInt(readU32(payload, SINTS) & 0xffff) << FIRST_SINT;
  if (type !== INTERRUPTION_DELIVERABLE) return 0n;
  return readU32(payload, TYPE) === TYPE_NMI ? NMI : INTERRUPT;
}

/** A VP has stopped with a message: what it tells of is not told again unless it is asked for again. */
export function endNotification({ store }: Context, vp: ObjectId, type: number, payload: Uint8Array): void {
  const cell = cellAt(vp, VP.slots.deliverability);
  const asked = store.get(cell);
  const left = asked & ~toldBits(type, payload);
  if (left !== asked) store.set(cell, left);
}
