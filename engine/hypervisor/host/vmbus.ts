import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import { SINT_COUNT } from '../cells/cpu.ts';
import { HOST } from '../cells/host.ts';
import { cellAt } from '../cells/place.ts';
import { cpuOf, deliver } from '../synic/deliver.ts';
import { fileOf, VMBUS_SINT } from '../synic/file.ts';

/**
 * VMBus channel messages (Linux 7.2 include/linux/hyperv.h: enum vmbus_channel_message_type and the structures
 * beside it). Every payload begins with the type and 4 bytes of padding.
 */
export const CHANNEL_MESSAGE = {
  INITIATE_CONTACT: 14,
  VERSION_RESPONSE: 15,
  UNLOAD: 16,
  UNLOAD_RESPONSE: 17,
} as const;

/** Connections of the message service: the old one, and the one of protocol 5.0 and later. */
export const MESSAGE_CONNECTION = 1;
export const MESSAGE_CONNECTION_V5 = 4;
export const MESSAGE_CONNECTIONS: readonly number[] = [MESSAGE_CONNECTION, MESSAGE_CONNECTION_V5];
export const EVENT_CONNECTION = 2;

/** Type of all messages of VMBus, and the port from which the guest gets them. */
export const VMBUS_MESSAGE_TYPE = 1;
const MESSAGE_PORT = 1;
const VERSION_5_0 = 0x5_0000;

/** The VMBus service is there for a partition that is somebody's guest. */
export function offersVmbus(context: Context): boolean {
  return context.profile.vmbus;
}

function hostCell(context: Context, slot: number) {
  const host = context.store.find(TOP, HOST, 0);
  if (host === undefined) throw new Error('no host');
  return cellAt(host, slot);
}

/** What the host does about a channel message, as far as it can be known: it answers contact and unload. */
export function receive(context: Context, payload: Uint8Array): Emitted[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const type = payload.length >= 4 ? view.getUint32(0, true) : undefined;
  if (type === CHANNEL_MESSAGE.INITIATE_CONTACT && payload.length >= 24) return contact(context, view);
  if (type === CHANNEL_MESSAGE.UNLOAD) return unload(context);
  return [];
}

/** Every version is accepted. From 5.0 on the guest names the SINT, before it is VMBus' own. */
function contact(context: Context, view: DataView): Emitted[] {
  const { store } = context;
  const { vmbus } = HOST.slots;
  const version = view.getUint32(8, true);
  const sint = version >= VERSION_5_0 ? view.getUint8(16) : VMBUS_SINT;
  store.set(hostCell(context, vmbus.connected), 1);
  store.set(hostCell(context, vmbus.version), version);
  store.set(hostCell(context, vmbus.targetVp), view.getUint32(12, true));
  store.set(hostCell(context, vmbus.sint), sint);
  const response = new Uint8Array(16);
  const fields = new DataView(response.buffer);
  fields.setUint32(0, CHANNEL_MESSAGE.VERSION_RESPONSE, true);
  fields.setUint8(8, 1);
  fields.setUint32(12, MESSAGE_CONNECTION_V5, true);
  return send(context, response);
}

function unload(context: Context): Emitted[] {
  const connected = hostCell(context, HOST.slots.vmbus.connected);
  if (context.store.known(connected) && context.store.low(connected) === 0) return [];
  context.store.set(connected, 0);
  const response = new Uint8Array(8);
  new DataView(response.buffer).setUint32(0, CHANNEL_MESSAGE.UNLOAD_RESPONSE, true);
  return send(context, response);
}

/** A message to the VP and SINT that the guest named. */
function send(context: Context, payload: Uint8Array): Emitted[] {
  const { store } = context;
  const vp = store.number(hostCell(context, HOST.slots.vmbus.targetVp));
  const sintCell = hostCell(context, HOST.slots.vmbus.sint);
  const sint = store.known(sintCell) ? store.number(sintCell) : VMBUS_SINT;
  const cpu = cpuOf(context, vp);
  if (cpu === undefined || sint >= SINT_COUNT) return [];
  const slot = new Uint8Array(16 + payload.length);
  const header = new DataView(slot.buffer);
  header.setUint32(0, VMBUS_MESSAGE_TYPE, true);
  header.setUint8(4, payload.length);
  header.setUint32(8, MESSAGE_PORT, true);
  slot.set(payload, 16);
  return deliver(context, cpu, fileOf(context, sint), sint, slot);
}
