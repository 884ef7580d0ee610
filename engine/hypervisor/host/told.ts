import { channelMessages, channelType, fieldOf, readU32, VMBUS_MESSAGE_TYPE } from '../../abi/index.ts';
import type { NoteRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { HOST } from '../cells/host.ts';
import { cellAt } from '../cells/place.ts';

const TYPE = fieldOf('hv_message', 'header.message_type');
const PAYLOAD = fieldOf('hv_message', 'payload');
/** What the host answers by itself, so that the answer is known where the question is. */
const ANSWERS = ['VERSION_RESPONSE', 'ALLOFFERS_DELIVERED', 'UNLOAD_RESPONSE'].map((name) =>
  channelMessages.number(name),
);

type MessageNote = Extract<NoteRequest | TraceEvent, { kind: 'message' }>;

/**
 * Whether a delivery is one that the engine has worked out before: a record that does not say what an answer belongs to
 * shows it by itself, after the call that it was worked out from. It is then in the slot already, or has been read.
 */
export function isToldAlready({ store }: Context, event: MessageNote): boolean {
  if (event.vp !== undefined || event.slot === undefined || event.slot.length <= PAYLOAD.offset) return false;
  if (readU32(event.slot, TYPE) !== VMBUS_MESSAGE_TYPE) return false;
  const index = ANSWERS.indexOf(channelType(event.slot.subarray(PAYLOAD.offset)) ?? -1);
  const host = store.find(TOP, HOST, 0);
  if (index < 0 || host === undefined) return false;
  const cell = cellAt(host, HOST.slots.vmbus.told);
  const bit = 1 << index;
  const told = store.low(cell);
  const isBelow = !('seq' in event) || event.parent !== undefined || event.provenance === 'derived';
  store.set(cell, isBelow ? told | bit : told & ~bit);
  return !isBelow && (told & bit) !== 0;
}
