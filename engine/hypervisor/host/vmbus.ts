import {
  channelMessage,
  channelMessages,
  channelType,
  fieldOf,
  readU32,
  VMBUS_MESSAGE_TYPE,
  writeField,
} from '../../abi/index.ts';
import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { type CellId, TOP } from '../../state/store.ts';
import { SINT_COUNT } from '../cells/cpu.ts';
import { HOST } from '../cells/host.ts';
import { cellAt } from '../cells/place.ts';
import { cpuOf, deliver } from '../synic/deliver.ts';
import { fileOf, VMBUS_SINT } from '../synic/file.ts';

const CONTACT = {
  version: fieldOf('vmbus_channel_initiate_contact', 'vmbus_version_requested'),
  targetVcpu: fieldOf('vmbus_channel_initiate_contact', 'target_vcpu'),
  sint: fieldOf('vmbus_channel_initiate_contact', 'msg_sint'),
};
/** Up to the member that older protocols have in the place of the SINT. */
const LEAST_CONTACT_BYTES = 24;
const RESPONSE = {
  supported: fieldOf('vmbus_channel_version_response', 'version_supported'),
  connection: fieldOf('vmbus_channel_version_response', 'msg_conn_id'),
};
const SLOT = {
  type: fieldOf('hv_message', 'header.message_type'),
  size: fieldOf('hv_message', 'header.payload_size'),
  sender: fieldOf('hv_message', 'header.sender'),
  payload: fieldOf('hv_message', 'payload'),
};

/** Connections of the message service: the old one, and the one of protocol 5.0 and later. */
export const MESSAGE_CONNECTION = 1;
export const MESSAGE_CONNECTION_V5 = 4;
export const MESSAGE_CONNECTIONS: readonly number[] = [MESSAGE_CONNECTION, MESSAGE_CONNECTION_V5];
export const EVENT_CONNECTION = 2;

/** The port from which the guest gets its messages. */
const MESSAGE_PORT = 1;
const VERSION_5_0 = 0x5_0000;
const VERSION_6_0 = 0x6_0000;

/** The VMBus service is there for a partition that is somebody's guest. */
export function offersVmbus(context: Context): boolean {
  return context.profile.vmbus;
}

function hostCell(context: Context, slot: number): CellId {
  const host = context.store.find(TOP, HOST, 0);
  if (host === undefined) throw new Error('no host');
  return cellAt(host, slot);
}

/**
 * What the host does about a channel message, as far as it can be known: it answers contact, the request for its
 * offers, of which it has none of its own, and unload. What it does about channels is in the record.
 */
export function receive(context: Context, payload: Uint8Array): Emitted[] {
  const type = channelType(payload);
  switch (type === undefined ? undefined : channelMessages.find(type)?.name) {
    case 'CHANNELMSG_INITIATE_CONTACT':
      return payload.length < LEAST_CONTACT_BYTES ? [] : contact(context, payload);
    case 'CHANNELMSG_REQUESTOFFERS':
      return isConnected(context) ? send(context, channelMessage('ALLOFFERS_DELIVERED')) : [];
    case 'CHANNELMSG_UNLOAD':
      return unload(context);
    default:
      return [];
  }
}

/** Where that is not known it counts as connected: it would not have been asked. */
function isConnected(context: Context): boolean {
  const connected = hostCell(context, HOST.slots.vmbus.connected);
  return !context.store.known(connected) || context.store.low(connected) !== 0;
}

/**
 * Every version is accepted. From 5.0 on the guest names the SINT, before it is VMBus' own; from 6.0 on the response
 * has the features that both know, of which there are none (openvmm vmbus_core/src/protocol.rs, VersionResponse2).
 */
function contact(context: Context, payload: Uint8Array): Emitted[] {
  const { store } = context;
  const { vmbus } = HOST.slots;
  const version = readU32(payload, CONTACT.version);
  const sint = version >= VERSION_5_0 ? readU32(payload, CONTACT.sint) : VMBUS_SINT;
  store.set(hostCell(context, vmbus.connected), 1);
  store.set(hostCell(context, vmbus.version), version);
  store.set(hostCell(context, vmbus.targetVp), readU32(payload, CONTACT.targetVcpu));
  store.set(hostCell(context, vmbus.sint), sint);
  const struct =
    version >= VERSION_6_0 ? 'vmbus_channel_version_response2' : 'vmbus_channel_version_response';
  const response = channelMessage('VERSION_RESPONSE', struct);
  writeField(response, RESPONSE.supported, 1);
  writeField(response, RESPONSE.connection, MESSAGE_CONNECTION_V5);
  return send(context, response);
}

function unload(context: Context): Emitted[] {
  if (!isConnected(context)) return [];
  context.store.set(hostCell(context, HOST.slots.vmbus.connected), 0);
  return send(context, channelMessage('UNLOAD_RESPONSE'));
}

/** A message to the VP and SINT that the guest named. */
function send(context: Context, payload: Uint8Array): Emitted[] {
  const { store } = context;
  const vp = store.number(hostCell(context, HOST.slots.vmbus.targetVp));
  const sintCell = hostCell(context, HOST.slots.vmbus.sint);
  const sint = store.known(sintCell) ? store.number(sintCell) : VMBUS_SINT;
  const cpu = cpuOf(context, vp);
  if (cpu === undefined || sint >= SINT_COUNT) return [];
  const slot = new Uint8Array(SLOT.payload.offset + payload.length);
  writeField(slot, SLOT.type, VMBUS_MESSAGE_TYPE);
  writeField(slot, SLOT.size, payload.length);
  writeField(slot, SLOT.sender, MESSAGE_PORT);
  slot.set(payload, SLOT.payload.offset);
  return deliver(context, cpu, fileOf(context, sint), sint, slot);
}
