import { fieldOf, readU32 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Key } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { OWN_PARTITION } from '../initialise.ts';
import { RESERVED, reservedSet } from '../partition/target.ts';
import { signalOver } from '../port/event.ts';
import { postOver } from '../port/message.ts';
import { connectionOf } from '../port/target.ts';
import { EVENT_CONNECTION, MESSAGE_CONNECTIONS, offersVmbus, receive } from './vmbus.ts';

const POST = {
  connection: fieldOf('hv_input_post_message', 'connectionid'),
  reserved: fieldOf('hv_input_post_message', 'reserved'),
  type: fieldOf('hv_input_post_message', 'message_type'),
  size: fieldOf('hv_input_post_message', 'payload_size'),
  payload: fieldOf('hv_input_post_message', 'payload'),
};
const SIGNAL = {
  connection: fieldOf('hv_input_signal_event', 'connectionid'),
  flag: fieldOf('hv_input_signal_event', 'flag_number'),
  reserved: fieldOf('hv_input_signal_event', 'rsvdz'),
};
const MAX_PAYLOAD = 240;
const HYPERVISOR_TYPE = 0x8000_0000;
const CONNECTION = 'TLFS.connection.unknown';

/** Why a message cannot be posted over any connection. */
function refusedMessage(call: Call): HypercallAnswer | undefined {
  const type = readU32(call.input, POST.type);
  if (type === 0 || type >= HYPERVISOR_TYPE)
    return failed(STATUS.INVALID_PARAMETER, 'TLFS.post-message.type');
  if (readU32(call.input, POST.size) > MAX_PAYLOAD)
    return failed(STATUS.INVALID_PARAMETER, 'TLFS.post-message.size');
  return reservedSet(call, [POST.reserved]) ? RESERVED : undefined;
}

function payloadOf({ input }: Call): Uint8Array {
  return input.subarray(POST.payload.offset, POST.payload.offset + readU32(input, POST.size));
}

/** Over a connection that a partition has made; undefined where it has no such connection. */
export function postFrom(call: Call, partition: Key): HypercallAnswer | undefined {
  const connection = connectionOf(call.context, partition, readU32(call.input, POST.connection));
  if (connection === undefined) return undefined;
  const type = readU32(call.input, POST.type);
  return refusedMessage(call) ?? postOver(call.context, connection, type, payloadOf(call));
}

/** The same for a signal. */
export function signalFrom(call: Call, partition: Key): HypercallAnswer | undefined {
  const connection = connectionOf(call.context, partition, readU32(call.input, SIGNAL.connection));
  if (connection === undefined) return undefined;
  if (reservedSet(call, [SIGNAL.reserved])) return RESERVED;
  return signalOver(call.context, connection, readU32(call.input, SIGNAL.flag));
}

/**
 * HvCallPostMessage: types below 2^31, payloads up to 240 bytes. At the other end of a connection is a port, or
 * the message service of VMBus; other ids were dealt out by a host that the engine does not know.
 */
function post(call: Call): HypercallAnswer {
  const { input, context } = call;
  const connection = readU32(input, POST.connection);
  const made = postFrom(call, OWN_PARTITION);
  if (made !== undefined) return made;
  const vmbus = MESSAGE_CONNECTIONS.includes(connection);
  if (!vmbus) return unmodelledCall(call.event);
  if (!offersVmbus(context)) return failed(STATUS.INVALID_CONNECTION_ID, CONNECTION);
  const refused = refusedMessage(call);
  return refused ?? succeeded('TLFS.post-message', undefined, receive(context, payloadOf(call)));
}

/** HvCallSignalEvent: the event connection of VMBus exists; what the host does on it is not seen here. */
function signal(call: Call): HypercallAnswer {
  const made = signalFrom(call, OWN_PARTITION);
  if (made !== undefined) return made;
  if (readU32(call.input, SIGNAL.connection) !== EVENT_CONNECTION) return unmodelledCall(call.event);
  if (!offersVmbus(call.context)) return failed(STATUS.INVALID_CONNECTION_ID, CONNECTION);
  if (reservedSet(call, [SIGNAL.reserved])) return RESERVED;
  return succeeded('TLFS.signal-event');
}

export const MESSAGE_CALLS: readonly CallRow[] = [
  { name: 'POST_MESSAGE', answer: post },
  { name: 'SIGNAL_EVENT', answer: signal },
];
