import { EVENT_KINDS, type TraceEvent } from '../../../engine/trace/event.ts';
import { type TimeNs, timeNs } from '../../../engine/trace/position.ts';
import type { KindCount, TraceCounts } from '../format/meta.ts';

/** Counts what is written: number, kinds, latest time. */
export class Counter {
  #events = 0;
  #end = 0;
  readonly #count = new Array<number>(EVENT_KINDS.length).fill(0);
  readonly #children = new Array<number>(EVENT_KINDS.length).fill(0);

  get events(): number {
    return this.#events;
  }

  add(event: TraceEvent): void {
    const kind = EVENT_KINDS.indexOf(event.kind);
    this.#events += 1;
    this.#count[kind] = (this.#count[kind] as number) + 1;
    if (event.parent !== undefined) this.#children[kind] = (this.#children[kind] as number) + 1;
    if (event.t > this.#end) this.#end = event.t;
    this.returned(event);
  }

  /** Takes the return of a call into the latest time. */
  returned(event: TraceEvent): void {
    const tEnd = 'tEnd' in event ? (event.tEnd as TimeNs | undefined) : undefined;
    if (tEnd !== undefined && tEnd > this.#end) this.#end = tEnd;
  }

  counts(): TraceCounts {
    const kinds: Record<string, KindCount> = {};
    EVENT_KINDS.forEach((kind, i) => {
      const count = this.#count[i] as number;
      if (count > 0) kinds[kind] = { count, children: this.#children[i] as number };
    });
    return { events: this.#events, kinds, end: timeNs(this.#end) };
  }
}
