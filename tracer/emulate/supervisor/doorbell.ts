import { constantNumber } from '../../../engine/abi/index.ts';
import { ringEvent } from '../../../engine/hypervisor/index.ts';
import type { Stamped } from './asks.ts';
import type { Guest } from './guest.ts';
import type { GuestHost } from './guest-host.ts';

const SINT = constantNumber('HV_SYNIC_DOORBELL_SINT_INDEX');

/** Rings a doorbell that a guest stored to: its VMM hears of it by an eventfd. */
export function ringDoorbell(
  host: GuestHost,
  { partition, index }: Guest,
  port: number,
  stamped: Stamped,
): void {
  const vp = { partition, vp: index };
  host.eventfds.ringing(port, () => {
    const event = {
      ...stamped,
      t: host.now(),
      provenance: 'emulated',
      ...ringEvent(vp, SINT, port),
    } as const;
    host.returned(host.live.feed(event).returned);
  });
}
