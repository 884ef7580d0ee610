import { constantNumber, fieldOf, readU32 } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { CONNECTIONS, OFFERS, VMBUS } from '../cells/driver.ts';
import { VMBUS_CHANNEL, VMBUS_CONNECT, VMBUS_GPADL } from '../cells/vmbus.ts';
import { driverOf } from '../kernel/objects.ts';
import type { Effects } from './effects.ts';

/** From this protocol on the host names the connection for what follows (Linux 7.2 connection.c). */
export const VERSION_5_0 = constantNumber('VERSION_WIN10_V5');

const REQUESTED = fieldOf('vmbus_channel_initiate_contact', 'vmbus_version_requested');
const SUPPORTED = fieldOf('vmbus_channel_version_response', 'version_supported');
const CONNECTION = fieldOf('vmbus_channel_version_response', 'msg_conn_id');

type VmbusCell = Exclude<keyof typeof VMBUS.slots, 'state' | 'hotplug'>;

function set(context: Context, name: VmbusCell, value: number): void {
  context.store.set(cellAt(driverOf(context, VMBUS), VMBUS.slots[name]), value);
}

export function setConnection(context: Context, state: (typeof CONNECTIONS)[number]): void {
  set(context, 'connection', CONNECTIONS.indexOf(state));
}

function setOffers(context: Context, offers: (typeof OFFERS)[number]): void {
  set(context, 'offers', OFFERS.indexOf(offers));
}

/** No channel and no GPADL is left: the host has forgotten them, or the driver has gone. */
export function forgetChannels(context: Context): void {
  const { store } = context;
  const driver = driverOf(context, VMBUS);
  for (const kind of [VMBUS_CHANNEL, VMBUS_GPADL, VMBUS_CONNECT]) {
    for (const id of store.children(driver, kind)) store.destroy(id);
  }
}

/** What becomes of the connection (Linux 7.2 drivers/hv/connection.c, channel_mgmt.c). */
export const CONNECTION_EFFECTS: Effects = {
  INITIATE_CONTACT(context, payload, connection) {
    setConnection(context, 'connecting');
    set(context, 'requested', readU32(payload, REQUESTED));
    set(context, 'messageConnection', connection);
  },
  VERSION_RESPONSE(context, payload) {
    if (readU32(payload, SUPPORTED) === 0) return;
    const version = context.store.number(cellAt(driverOf(context, VMBUS), VMBUS.slots.requested));
    set(context, 'version', version);
    if (version >= VERSION_5_0) set(context, 'messageConnection', readU32(payload, CONNECTION));
    setConnection(context, 'connected');
  },
  REQUESTOFFERS: (context) => setOffers(context, 'requested'),
  ALLOFFERS_DELIVERED: (context) => setOffers(context, 'delivered'),
  UNLOAD(context) {
    setConnection(context, 'disconnected');
    set(context, 'unloading', 1);
  },
  UNLOAD_RESPONSE(context) {
    set(context, 'unloading', 0);
    setOffers(context, 'none');
    forgetChannels(context);
  },
};
