import { constantNumber, fieldOf, readU32 } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { VMBUS } from '../cells/driver.ts';
import { CHANNEL_STATES, VMBUS_CHANNEL } from '../cells/vmbus.ts';
import { driverOf } from '../kernel/objects.ts';
import { type Effects, known, made, seen } from './effects.ts';

const OFFER = {
  relid: fieldOf('vmbus_channel_offer_channel', 'child_relid'),
  interface: fieldOf('vmbus_channel_offer_channel', 'offer.if_type'),
  instance: fieldOf('vmbus_channel_offer_channel', 'offer.if_instance'),
  subChannel: fieldOf('vmbus_channel_offer_channel', 'offer.sub_channel_index'),
  connection: fieldOf('vmbus_channel_offer_channel', 'connection_id'),
};
const OPEN = {
  gpadl: fieldOf('vmbus_channel_open_channel', 'ringbuffer_gpadlhandle'),
  targetVp: fieldOf('vmbus_channel_open_channel', 'target_vp'),
};
const OPEN_STATUS = fieldOf('vmbus_channel_open_result', 'status');
const MODIFY_TARGET = fieldOf('vmbus_channel_modifychannel', 'target_vp');
/** Where all other messages about a channel name it. */
const RELID = fieldOf('vmbus_channel_close_channel', 'child_relid');

const VERSION_5_3 = constantNumber('VERSION_WIN10_V5_3');

type ChannelCell = keyof typeof VMBUS_CHANNEL.slots;

function set(context: Context, id: ObjectId, name: ChannelCell, value: number): void {
  context.store.set(cellAt(id, VMBUS_CHANNEL.slots[name]), value);
}

function setState(context: Context, id: ObjectId, state: (typeof CHANNEL_STATES)[number]): void {
  set(context, id, 'state', CHANNEL_STATES.indexOf(state));
}

function bytesAt(payload: Uint8Array, { offset, length }: { offset: number; length: number }): Uint8Array {
  return payload.subarray(offset, offset + length);
}

/** From 5.3 on the host says when a channel has moved (Linux 7.2 drivers/hv/channel.c, vmbus_send_modifychannel). */
function answersMoves(context: Context): boolean {
  const version = cellAt(driverOf(context, VMBUS), VMBUS.slots.version);
  return context.store.number(version) >= VERSION_5_3;
}

/** What becomes of channels (Linux 7.2 drivers/hv/channel.c, channel_mgmt.c). */
export const CHANNEL_EFFECTS: Effects = {
  OFFERCHANNEL(context, payload) {
    const id = made(context, VMBUS_CHANNEL, readU32(payload, OFFER.relid));
    set(context, id, 'interface', context.store.intern(bytesAt(payload, OFFER.interface)));
    set(context, id, 'instance', context.store.intern(bytesAt(payload, OFFER.instance)));
    set(context, id, 'subChannel', readU32(payload, OFFER.subChannel));
    set(context, id, 'connection', readU32(payload, OFFER.connection));
    setState(context, id, 'offered');
  },
  OPENCHANNEL(context, payload) {
    const id = seen(context, VMBUS_CHANNEL, readU32(payload, RELID));
    set(context, id, 'gpadl', readU32(payload, OPEN.gpadl));
    set(context, id, 'targetVp', readU32(payload, OPEN.targetVp));
    setState(context, id, 'opening');
  },
  OPENCHANNEL_RESULT(context, payload) {
    const id = seen(context, VMBUS_CHANNEL, readU32(payload, RELID));
    setState(context, id, readU32(payload, OPEN_STATUS) === 0 ? 'open' : 'offered');
  },
  CLOSECHANNEL(context, payload) {
    setState(context, seen(context, VMBUS_CHANNEL, readU32(payload, RELID)), 'closed');
  },
  MODIFYCHANNEL(context, payload) {
    const id = seen(context, VMBUS_CHANNEL, readU32(payload, RELID));
    set(context, id, 'targetVp', readU32(payload, MODIFY_TARGET));
    set(context, id, 'moving', answersMoves(context) ? 1 : 0);
  },
  MODIFYCHANNEL_RESPONSE(context, payload) {
    set(context, seen(context, VMBUS_CHANNEL, readU32(payload, RELID)), 'moving', 0);
  },
  RESCIND_CHANNELOFFER(context, payload) {
    set(context, seen(context, VMBUS_CHANNEL, readU32(payload, RELID)), 'rescinded', 1);
  },
  RELID_RELEASED(context, payload) {
    const id = known(context, VMBUS_CHANNEL, readU32(payload, RELID));
    if (id !== undefined) context.store.destroy(id);
  },
};
