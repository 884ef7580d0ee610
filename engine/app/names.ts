import { errnos } from '../abi/lookup/errnos.ts';
import { hypercalls } from '../abi/lookup/hypercalls.ts';
import { MESSAGE_HEADER_BYTES, messageTypes } from '../abi/lookup/messages.ts';
import { msrs } from '../abi/lookup/msrs.ts';
import { statuses } from '../abi/lookup/statuses.ts';
import { type ChannelMessageRow, channelMessages, VMBUS_MESSAGE_TYPE } from '../abi/lookup/vmbus.ts';
import { hexOf } from '../abi/text.ts';
import { ioctlRowOf } from '../trace/dialect.ts';
import type { TraceEvent } from '../trace/event.ts';
import { formatVp } from '../trace/handle.ts';
import type { Profile } from '../trace/profile.ts';

const CODE_MASK = 0xffffn;

/** `cpu 0`, `vp 2.0`, `100/101`; empty where nothing was recorded. */
export function whoOf(event: TraceEvent): string {
  if (event.vp !== undefined) return `vp ${formatVp(event.vp)}`;
  if (event.cpu !== undefined) return `cpu ${event.cpu}`;
  if (event.tid !== undefined) return `${event.pid ?? '?'}/${event.tid}`;
  return event.pid === undefined ? '' : String(event.pid);
}

/** Type of the message in a slot (first field of a message header). */
function messageTypeOf(slot: Uint8Array): number | undefined {
  if (slot.length < 4) return undefined;
  return new DataView(slot.buffer, slot.byteOffset).getUint32(0, true);
}

/** The message type's name; of what VMBus sends the channel message's. */
function messageNameOf(type: number, slot: Uint8Array | undefined): string {
  const channel = type === VMBUS_MESSAGE_TYPE ? slot && channelMessageOf(slot) : undefined;
  return channel?.name ?? messageTypes.name(type);
}

/** The channel message that a slot of VMBus holds (first field of a channel message). */
function channelMessageOf(slot: Uint8Array): ChannelMessageRow | undefined {
  const payload = slot.subarray(MESSAGE_HEADER_BYTES);
  const type = messageTypeOf(payload);
  return type === undefined ? undefined : channelMessages.find(type);
}

/** Canonical name of the call, register, message or step. */
export function opOf(event: TraceEvent, profile: Profile): string {
  switch (event.kind) {
    case 'msr':
      return msrs.name(event.msr);
    case 'hypercall':
      return hypercalls.name(Number(event.control & CODE_MASK));
    case 'ioctl':
      return ioctlRowOf(event, profile)?.name ?? hexOf(event.op);
    case 'message': {
      const type = event.slot === undefined ? undefined : messageTypeOf(event.slot);
      return type === undefined ? event.what : `${event.what} ${messageNameOf(type, event.slot)}`;
    }
    case 'intercept':
      return messageTypes.name(event.type);
    case 'page':
      return `${event.what} ${event.page}`;
    case 'lifecycle':
      return `${event.what}${event.phase === 'end' ? ' end' : ''}`;
    default:
      return event.what;
  }
}

/** Status, return value, `#GP` or the value of an access (of a refused write both); undefined where no answer is known. */
export function resultOf(event: TraceEvent): string | undefined {
  switch (event.kind) {
    case 'msr':
      // Of a refused write both are told: what was written, and that it was refused.
      if (event.fault === true) return event.dir === 'write' ? `${hexOf(event.value ?? 0n)} #GP` : '#GP';
      return event.value === undefined ? undefined : hexOf(event.value);
    case 'hypercall':
      if (event.fault === true) return '#UD';
      if (event.result === undefined) return undefined;
      return event.result.reps === 0
        ? statuses.name(event.result.status)
        : `${statuses.name(event.result.status)}, ${event.result.reps} reps`;
    case 'ioctl':
    case 'fd':
    case 'lifecycle':
      if (event.ret === undefined) return undefined;
      return event.ret === null ? 'open' : returnText(event.ret);
    case 'message':
      return event.reason;
    default:
      return undefined;
  }
}

/** `0`, `7`, or the errno's name for a failure. */
function returnText(ret: number): string {
  return ret < 0 ? `-${errnos.name(-ret)}` : String(ret);
}
