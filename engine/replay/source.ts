import type { EventKind, TraceEvent } from '../trace/event.ts';
import type { TraceHeader } from '../trace/profile.ts';
import type { Ahead } from './ahead.ts';
import type { Start } from './start.ts';
import type { Supposed } from './supposed.ts';

/** Recorded events, wherever they are kept. Events are numbered 1 to `count`. */
export interface EventSource {
  readonly header: TraceHeader;
  readonly count: number;
  /** Kinds of event that stand below others somewhere in the trace. */
  readonly childKinds: ReadonlySet<EventKind>;
  /** The recording was cut, or goes on: what was under way at its end is not missing there. */
  readonly cut?: boolean;
  /** The state before its first events, where it does not start with the machine. */
  readonly start?: Start;
  /** The trace was changed: what is recorded may not happen any more. */
  readonly supposed?: Supposed;
  /** Events `from` to `to`, both included, in order. */
  range(from: number, to: number): Iterable<TraceEvent>;
}

/** A source over events in memory. */
export function memorySource(header: TraceHeader, events: readonly TraceEvent[]): EventSource {
  const childKinds = new Set<EventKind>();
  for (const event of events) if (event.parent !== undefined) childKinds.add(event.kind);
  return {
    header,
    count: events.length,
    childKinds,
    range: (from, to) => events.slice(from - 1, to),
  };
}

/** How far ahead matching may look for an event that the engine expects. */
export const LOOK_AHEAD_EVENTS = 1024;

/** Steps through events with a bounded look at those to come. */
export class LookAhead implements Ahead {
  readonly #events: Iterator<TraceEvent>;
  /** Events read and not handed out yet, from `#head` on. */
  #buffer: TraceEvent[] = [];
  #head = 0;

  constructor(events: Iterable<TraceEvent>) {
    this.#events = events[Symbol.iterator]();
  }

  next(): TraceEvent | undefined {
    const event = this.#peek(0);
    this.#head++;
    if (this.#head > LOOK_AHEAD_EVENTS) {
      this.#buffer = this.#buffer.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  some(test: (event: TraceEvent) => boolean): boolean {
    return this.find(test) !== undefined;
  }

  /** The first event to come for which it holds. */
  find(test: (event: TraceEvent) => boolean): TraceEvent | undefined {
    for (let i = 0; i < LOOK_AHEAD_EVENTS; i++) {
      const event = this.#peek(i);
      if (event === undefined || test(event)) return event;
    }
    return undefined;
  }

  time(): TraceEvent['t'] | undefined {
    return this.#peek(0)?.t;
  }

  #peek(i: number): TraceEvent | undefined {
    while (this.#buffer.length <= this.#head + i) {
      const step = this.#events.next();
      if (step.done) return undefined;
      this.#buffer.push(step.value);
    }
    return this.#buffer[this.#head + i];
  }
}
