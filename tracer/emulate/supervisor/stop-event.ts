import type { LiveMachine, LiveResult } from '../../../engine/replay/live.ts';
import type { RegisterValue } from '../../../engine/trace/event.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import type { ExitMessage } from '../vp/message.ts';
import type { Stamped } from './asks.ts';
import { takeRegisters } from './exchange.ts';
import type { Guest } from './guest.ts';

/** The engine hears of a VP's stop, and of the registers that its guest has changed; `inner` are others that the hypervisor has. */
export function feedStop(
  host: { readonly live: LiveMachine; now(): TimeNs },
  guest: Guest,
  stamped: Stamped,
  { type, payload }: ExitMessage,
  inner: readonly RegisterValue[],
): LiveResult {
  return host.live.feed({
    kind: 'intercept',
    t: host.now(),
    provenance: 'emulated',
    component: 'hypervisor',
    vp: { partition: guest.partition, vp: guest.index },
    ...stamped,
    type,
    payload,
    registers: [...takeRegisters(guest), ...inner],
  });
}
