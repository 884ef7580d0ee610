import { fieldOf } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { VMBUS } from '../cells/driver.ts';
import { VMBUS_CONNECT } from '../cells/vmbus.ts';
import { driverOf } from '../kernel/objects.ts';
import type { Effects } from './effects.ts';

/** Request and result name both ends at the same places. */
const ENDPOINT = fieldOf('vmbus_channel_tl_connect_result', 'guest_endpoint_id');
const SERVICE = fieldOf('vmbus_channel_tl_connect_result', 'host_service_id');

function guidAt(context: Context, payload: Uint8Array, { offset, length }: typeof ENDPOINT): number {
  return context.store.intern(payload.slice(offset, offset + length));
}

/**
 * Sockets that are to be connected to a service of the host (Linux 7.2 drivers/hv/channel.c, vmbus_send_tl_connect_request).
 * Linux takes no notice of the result: of one that succeeds it hears by an offer.
 */
export const SOCKET_EFFECTS: Effects = {
  TL_CONNECT_REQUEST(context, payload) {
    const { store } = context;
    const driver = driverOf(context, VMBUS);
    const last = store.children(driver, VMBUS_CONNECT).at(-1);
    const id = store.create(driver, VMBUS_CONNECT, last === undefined ? 1 : Number(store.key(last)) + 1);
    store.set(cellAt(id, VMBUS_CONNECT.slots.endpoint), guidAt(context, payload, ENDPOINT));
    store.set(cellAt(id, VMBUS_CONNECT.slots.service), guidAt(context, payload, SERVICE));
  },
  TL_CONNECT_RESULT(context, payload) {
    const { store } = context;
    const ends = [guidAt(context, payload, ENDPOINT), guidAt(context, payload, SERVICE)];
    const { endpoint, service } = VMBUS_CONNECT.slots;
    const found = store
      .children(driverOf(context, VMBUS), VMBUS_CONNECT)
      .find((id) => [endpoint, service].every((slot, i) => store.number(cellAt(id, slot)) === ends[i]));
    if (found !== undefined) store.destroy(found);
  },
};
