import type { Machine } from '../../engine/machine/machine.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Found } from './differences.ts';
import type { GuestRef } from './events.ts';

/** The first thing that is not as it was recorded, and where. */
export interface Difference {
  /** Number of the event that it was found at. */
  readonly at: number;
  readonly vp: GuestRef;
  /** Instructions that the VP had executed, and where its next one is. */
  readonly instructions: number;
  readonly rip: bigint;
  readonly found: Found;
}

export interface Executed {
  /** VPs that ran, and the instructions that they executed together. */
  readonly vps: number;
  readonly instructions: number;
  /** Events that guests were held against. */
  readonly compared: number;
  /** Bytes that guests wrote, which were compared with the record. */
  readonly bytes: number;
  readonly difference: Difference | undefined;
}

/** The replay that guests are executed in. */
export interface ReplayHost {
  readonly machine: Machine;
  /** The next event; of those to come the first for which it holds, as far as one may look. */
  peek(): TraceEvent | undefined;
  find(test: (event: TraceEvent) => boolean): TraceEvent | undefined;
  /** Replays the next event and all that is below it. */
  feed(): TraceEvent;
  /** Calls return that do so before the next event. */
  settle(): void;
}
