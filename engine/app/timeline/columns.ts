import type { EventSource } from '../../replay/source.ts';
import { EVENT_KINDS } from '../../trace/event.ts';
import { type LaneHead, laneOf } from '../lanes.ts';
import { failed } from '../names.ts';

/** A mark of the trace that stands above the lanes. */
export interface MarkedEvent {
  readonly seq: number;
  readonly what: 'gap' | 'note';
  readonly text: string;
}

/** Marks that are drawn above the lanes; more are no signs any more. */
const MAX_MARKS = 1000;

/** The events of a trace in columns, 14 bytes an event, for drawing lanes without reading the events again. */
export class TimelineColumns {
  readonly lanes: readonly LaneHead[];
  readonly marks: readonly MarkedEvent[];
  readonly #time: Float64Array;
  readonly #lane: Uint16Array;
  readonly #kind: Uint8Array;
  readonly #failed: Uint8Array;
  readonly #component: Uint16Array;
  readonly #components: string[] = [];

  constructor(source: EventSource) {
    const n = source.count;
    this.#time = new Float64Array(n);
    this.#lane = new Uint16Array(n);
    this.#kind = new Uint8Array(n);
    this.#failed = new Uint8Array(n);
    this.#component = new Uint16Array(n);
    const heads: LaneHead[] = [];
    const marks: MarkedEvent[] = [];
    const lanes = new Map<string, number>();
    const components = new Map<string, number>();
    let i = 0;
    for (const event of source.range(1, n)) {
      this.#time[i] = event.t;
      this.#kind[i] = EVENT_KINDS.indexOf(event.kind);
      this.#failed[i] = failed(event) ? 1 : 0;
      const head = laneOf(event);
      this.#lane[i] = numbered(lanes, head.id, () => heads.push(head));
      const component = event.component ?? '';
      this.#component[i] = numbered(components, component, () => this.#components.push(component));
      i++;
      if (event.kind !== 'mark' || marks.length >= MAX_MARKS) continue;
      const lost = event.lost === undefined ? 'events were lost' : `${event.lost} events were lost`;
      if (event.what === 'gap') marks.push({ seq: event.seq, what: 'gap', text: event.text ?? lost });
      if (event.what === 'note') marks.push({ seq: event.seq, what: 'note', text: event.text ?? '' });
    }
    this.lanes = heads;
    this.marks = marks;
  }

  /** Time of the last event in ns. */
  get durationNs(): number {
    return this.#time.at(-1) ?? 0;
  }

  /** Time of an event in ns. */
  timeOf(seq: number): number {
    return this.#time[seq - 1] ?? 0;
  }

  laneOf(seq: number): LaneHead {
    return this.lanes[this.#lane[seq - 1] as number] as LaneHead;
  }

  kindOf(seq: number): string {
    return EVENT_KINDS[this.#kind[seq - 1] as number] ?? 'mark';
  }

  failedAt(seq: number): boolean {
    return this.#failed[seq - 1] === 1;
  }

  componentOf(seq: number): string {
    return this.#components[this.#component[seq - 1] as number] ?? '';
  }

  /** Numbers of the first event in a window and of the one behind its last. */
  window(axis: 'time' | 'events', from: number, to: number): readonly [first: number, end: number] {
    if (axis === 'events') {
      return [Math.max(1, Math.floor(from)), Math.min(this.#time.length, Math.ceil(to)) + 1];
    }
    return [firstAtOrAfter(this.#time, from) + 1, firstAtOrAfter(this.#time, to + 1) + 1];
  }
}

function numbered(map: Map<string, number>, key: string, add: () => void): number {
  const known = map.get(key);
  if (known !== undefined) return known;
  add();
  map.set(key, map.size);
  return map.size - 1;
}

function firstAtOrAfter(times: Float64Array, t: number): number {
  let lo = 0;
  let hi = times.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if ((times[mid] as number) < t) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
