import { constantNumber } from '../../../engine/abi/index.ts';
import { doorbellAt, ringEvent } from '../../../engine/hypervisor/index.ts';
import type { Stamped } from './asks.ts';
import type { Guest } from './guest.ts';
import type { GuestHost } from './guest-host.ts';

const SINT = constantNumber('HV_SYNIC_DOORBELL_SINT_INDEX');

/** Rings the doorbell that waits for a store of a guest, whose VMM hears of it by an eventfd; false where there is none. */
export function ringDoorbell(
  host: GuestHost,
  { partition, index, processor: { stored } }: Guest,
  tell: () => Stamped,
): boolean {
  if (stored === undefined) return false;
  const vp = { partition, vp: index };
  const port = doorbellAt(host.live.machine, partition, stored);
  if (port === undefined) return false;
  const stamped = tell();
  host.eventfds.ringing(port, () => {
    const event = {
      ...stamped,
      t: host.now(),
      provenance: 'emulated',
      ...ringEvent(vp, SINT, port),
    } as const;
    host.returned(host.live.feed(event).returned);
  });
  return true;
}
