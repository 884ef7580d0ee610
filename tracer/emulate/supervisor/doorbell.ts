import { constantNumber } from '../../../engine/abi/index.ts';
import { doorbellAt, ringEvent } from '../../../engine/hypervisor/index.ts';
import type { Stored } from '../vp/store.ts';
import type { GuestHost } from './guests.ts';

const SINT = constantNumber('HV_SYNIC_DOORBELL_SINT_INDEX');

/** Rings the doorbell that waits for a store of a guest, whose VMM hears of it by an eventfd; false where there is none. */
export function ringDoorbell(
  host: GuestHost,
  vp: { readonly partition: bigint; readonly vp: number },
  stored: Stored | undefined,
): boolean {
  if (stored === undefined) return false;
  const port = doorbellAt(host.live.machine, vp.partition, stored);
  if (port === undefined) return false;
  host.eventfds.ringing(port, () => {
    const event = { t: host.now(), provenance: 'emulated', ...ringEvent(vp, SINT, port) } as const;
    host.returned(host.live.feed(event).returned);
  });
  return true;
}
