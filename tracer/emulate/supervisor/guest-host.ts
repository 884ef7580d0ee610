import type { LiveMachine, LiveReturn } from '../../../engine/replay/live.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import type { Capture } from '../capture/capture.ts';
import type { Eventfds } from './eventfds.ts';
import type { LackHost } from './lacks.ts';
import type { VpThreads } from './vp-threads.ts';

/** What the guests need of the supervisor. */
export interface GuestHost extends LackHost {
  readonly live: LiveMachine;
  now(): TimeNs;
  returned(returns: readonly LiveReturn[]): void;
  /** The recording is to be executed again. */
  readonly capture: Capture | undefined;
  /** Eventfds behind doorbells. */
  readonly eventfds: Pick<Eventfds, 'ringing'>;
  readonly threads: VpThreads;
  readonly memory: ClientMemory;
}
