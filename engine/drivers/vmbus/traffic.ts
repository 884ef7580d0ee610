import {
  channelMessages,
  channelType,
  fieldOf,
  lowHalf,
  readU32,
  VMBUS_MESSAGE_TYPE,
} from '../../abi/index.ts';
import type { HypercallAnswer, HypercallRequest, NoteRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { HypercallEvent, MessageEvent } from '../../trace/event.ts';
import { hypercallCode } from '../kernel/hypercall.ts';
import type { Effect } from './effects.ts';
import { VMBUS_SINT } from './sint.ts';
import { CHANNEL_EFFECTS } from './track-channel.ts';
import { CONNECTION_EFFECTS } from './track-connection.ts';
import { GPADL_EFFECTS } from './track-gpadl.ts';
import { SOCKET_EFFECTS } from './track-socket.ts';

const POST_MESSAGE = hypercallCode('POST_MESSAGE');
const CODE_MASK = 0xffff;
const POSTED = {
  connection: fieldOf('hv_input_post_message', 'connectionid'),
  type: fieldOf('hv_input_post_message', 'message_type'),
  size: fieldOf('hv_input_post_message', 'payload_size'),
  payload: fieldOf('hv_input_post_message', 'payload'),
};
const SLOT = {
  type: fieldOf('hv_message', 'header.message_type'),
  size: fieldOf('hv_message', 'header.payload_size'),
  payload: fieldOf('hv_message', 'payload'),
};

/** By type of message: what follows from it, if it comes from its sender. */
const EFFECTS = new Map<number, { readonly sender: 'guest' | 'host'; readonly effect: Effect }>();
for (const [name, effect] of Object.entries({
  ...CONNECTION_EFFECTS,
  ...CHANNEL_EFFECTS,
  ...GPADL_EFFECTS,
  ...SOCKET_EFFECTS,
})) {
  const row = channelMessages.named(name);
  if (row === undefined) throw new Error(`no channel message is called ${name}`);
  EFFECTS.set(row.value, { sender: row.sender, effect });
}

function apply(context: Context, sender: 'guest' | 'host', payload: Uint8Array, connection: number): void {
  const type = channelType(payload);
  const found = type === undefined ? undefined : EFFECTS.get(type);
  if (found?.sender === sender) found.effect(context, payload, connection);
}

/** A message that the kernel has posted: what VMBus has asked of the host. What a VP posts is its own affair. */
export function messagePosted(
  context: Context,
  call: HypercallRequest | HypercallEvent,
  answer: HypercallAnswer,
): void {
  if ((lowHalf(call.control) & CODE_MASK) !== POST_MESSAGE || call.vp !== undefined) return;
  const { status } = call.result ?? answer.result;
  const { input, fault = answer.fault } = call;
  if (input === undefined || status !== 0 || fault === true) return;
  if (readU32(input, POSTED.type) !== VMBUS_MESSAGE_TYPE) return;
  const { offset } = POSTED.payload;
  const payload = input.subarray(offset, offset + readU32(input, POSTED.size));
  apply(context, 'guest', payload, readU32(input, POSTED.connection));
}

/** A message in VMBus' slot of a CPU: what the host has answered or told. */
export function messageDelivered(context: Context, event: NoteRequest | MessageEvent): void {
  if (event.kind !== 'message' || event.what !== 'deliver' || event.sint !== VMBUS_SINT) return;
  const { slot } = event;
  if (slot === undefined || event.vp !== undefined) return;
  if (readU32(slot, SLOT.type) !== VMBUS_MESSAGE_TYPE) return;
  const { offset } = SLOT.payload;
  apply(context, 'host', slot.subarray(offset, offset + readU32(slot, SLOT.size)), 0);
}
