import type { RingLimit } from './ring-limit.ts';

/** What of the events is to be kept; everything where nothing is said. Filters were read before. */
export interface Kept {
  /** Only what this matches is written. */
  readonly filter?: string;
  /** Only the last events are kept. */
  readonly ring?: RingLimit;
  /** The recording ends with the first event that this matches. */
  readonly until?: string;
}
