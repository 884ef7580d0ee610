import type { TraceEvent } from '../trace/event.ts';
import type { TimeNs } from '../trace/position.ts';

/** What may be seen of the events still to come: a bounded look, for matching and for spacing. */
export interface Ahead {
  some(test: (event: TraceEvent) => boolean): boolean;
  /** Entry time of the next event. */
  time(): TimeNs | undefined;
}

/** The first event to come for which it holds. */
export function firstAhead(ahead: Ahead, test: (event: TraceEvent) => boolean): TraceEvent | undefined {
  let found: TraceEvent | undefined;
  ahead.some((event) => {
    if (test(event)) found = event;
    return found !== undefined;
  });
  return found;
}

/** Nothing is known of what comes (live emulation). */
export const NOTHING_AHEAD: Ahead = { some: () => false, time: () => undefined };
