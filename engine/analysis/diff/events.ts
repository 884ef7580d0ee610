import type { EventSource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';

/** So many events are held in memory at once, some 1 KB each; of longer traces the pages that were used last. */
const KEPT_EVENTS = 262_144;
const PAGE_EVENTS = 1024;

/** The events of a trace in their order, each read once while the trace is short. */
export class Events implements Iterable<TraceEvent> {
  readonly count: number;
  readonly #source: EventSource;
  readonly #pages = new Map<number, readonly TraceEvent[]>();
  readonly #most: number;

  constructor(source: EventSource, keptEvents = KEPT_EVENTS) {
    this.#source = source;
    this.count = source.count;
    this.#most = Math.max(2, Math.ceil(keptEvents / PAGE_EVENTS));
  }

  /** `index` counts from 0. */
  at(index: number): TraceEvent | undefined {
    const page = Math.floor(index / PAGE_EVENTS);
    return this.#page(page)[index - page * PAGE_EVENTS];
  }

  *[Symbol.iterator](): Generator<TraceEvent, void, undefined> {
    const pages = Math.ceil(this.count / PAGE_EVENTS);
    for (let page = 0; page < pages; page++) yield* this.#page(page);
  }

  /** The same events as the trace had them, from memory where they are there. */
  *range(from: number, to: number): Generator<TraceEvent, void, undefined> {
    const last = Math.min(to, this.count);
    let index = Math.max(1, from) - 1;
    while (index < last) {
      const page = Math.floor(index / PAGE_EVENTS);
      const [first, events] = [page * PAGE_EVENTS, this.#page(page)];
      for (; index < last && index < first + events.length; index++)
        yield events[index - first] as TraceEvent;
      if (events.length === 0) return;
    }
  }

  #page(page: number): readonly TraceEvent[] {
    const known = this.#pages.get(page);
    if (known !== undefined) return known;
    const from = page * PAGE_EVENTS + 1;
    const events = [...this.#source.range(from, Math.min(this.count, from + PAGE_EVENTS - 1))];
    this.#pages.set(page, events);
    // A Map iterates in order of insertion: what was read first is the farthest behind.
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= this.#most) break;
      this.#pages.delete(oldest);
    }
    return events;
  }
}
