import { fieldOf, readU32 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type Call, type CallRow, failed, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { RESERVED, reservedSet } from '../partition/target.ts';
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
  reserved: fieldOf('hv_input_signal_event', 'rsvdz'),
};
const MAX_PAYLOAD = 240;
const HYPERVISOR_TYPE = 0x8000_0000;
const CONNECTION = 'TLFS.connection.unknown';

/**
 * HvCallPostMessage: types below 2^31, payloads up to 240 bytes. Only the message service of VMBus is at the
 * other end of a connection; other ids were dealt out by a host that the engine does not know.
 */
function post(call: Call): HypercallAnswer {
  const { input, context } = call;
  const connection = readU32(input, POST.connection);
  const vmbus = MESSAGE_CONNECTIONS.includes(connection);
  if (!vmbus) return unmodelledCall(call.event);
  if (!offersVmbus(context)) return failed(STATUS.INVALID_CONNECTION_ID, CONNECTION);
  const type = readU32(input, POST.type);
  const size = readU32(input, POST.size);
  if (type === 0 || type >= HYPERVISOR_TYPE)
    return failed(STATUS.INVALID_PARAMETER, 'TLFS.post-message.type');
  if (size > MAX_PAYLOAD) return failed(STATUS.INVALID_PARAMETER, 'TLFS.post-message.size');
  if (reservedSet(call, [POST.reserved])) return RESERVED;
  const payload = input.subarray(POST.payload.offset, POST.payload.offset + size);
  return succeeded('TLFS.post-message', undefined, receive(context, payload));
}

/** HvCallSignalEvent: the event connection of VMBus exists; what the host does on it is not seen here. */
function signal(call: Call): HypercallAnswer {
  if (readU32(call.input, SIGNAL.connection) !== EVENT_CONNECTION) return unmodelledCall(call.event);
  if (!offersVmbus(call.context)) return failed(STATUS.INVALID_CONNECTION_ID, CONNECTION);
  if (reservedSet(call, [SIGNAL.reserved])) return RESERVED;
  return succeeded('TLFS.signal-event');
}

export const MESSAGE_CALLS: readonly CallRow[] = [
  { name: 'POST_MESSAGE', answer: post },
  { name: 'SIGNAL_EVENT', answer: signal },
];
