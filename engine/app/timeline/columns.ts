import type { Step } from '../../replay/step.ts';
import { EVENT_KINDS, type EventKind, type TraceEvent } from '../../trace/event.ts';
import { failed } from '../../trace/failed.ts';
import { type LaneHead, laneOf } from '../lanes.ts';
import { DerivedColumns } from './derived.ts';
import { MAX_MARKS, type MarkedEvent, markOf } from './signs.ts';

/**
 * What lanes need of every event, in columns of 14 bytes an event (derived ones: 13): noted while the trace is
 * replayed, when every event is there anyway, so that drawing never reads one again.
 */
export class TimelineColumns {
  readonly lanes: LaneHead[] = [];
  readonly marks: MarkedEvent[] = [];
  readonly derived: DerivedColumns = new DerivedColumns();
  readonly #time: Float64Array;
  readonly #lane: Uint16Array;
  readonly #kind: Uint8Array;
  readonly #failed: Uint8Array;
  readonly #component: Uint16Array;
  readonly #components: string[] = [];
  readonly #recordedLanes = new Set<number>();
  readonly #laneNumbers = new Map<string, number>();
  readonly #componentNumbers = new Map<string, number>();

  /** For a trace of `count` events. */
  constructor(count: number) {
    this.#time = new Float64Array(count);
    this.#lane = new Uint16Array(count);
    this.#kind = new Uint8Array(count);
    this.#failed = new Uint8Array(count);
    this.#component = new Uint16Array(count);
  }

  /** Notes a step of the replay. */
  note({ address, event, derived, returned }: Step): void {
    const { seq, sub } = address;
    const hasFailed = failed(event) ? 1 : 0;
    if (returned) {
      // The answer of a call is known when it returns; the call itself was noted at its entry.
      if (!derived) this.#failed[seq - 1] = hasFailed;
      return;
    }
    const kind = EVENT_KINDS.indexOf(event.kind);
    const lane = this.#laneNumber(event);
    if (derived) {
      this.derived.add(seq, sub, lane, kind, hasFailed);
      return;
    }
    const i = seq - 1;
    this.#time[i] = event.t;
    this.#kind[i] = kind;
    this.#failed[i] = hasFailed;
    this.#lane[i] = lane;
    this.#recordedLanes.add(lane);
    const component = event.component ?? '';
    this.#component[i] = numbered(this.#componentNumbers, component, () => this.#components.push(component));
    const mark = this.marks.length < MAX_MARKS ? markOf(event) : undefined;
    if (mark !== undefined) this.marks.push(mark);
  }

  /** Number of recorded events. */
  get count(): number {
    return this.#time.length;
  }

  /** Time of the last event in ns. */
  get durationNs(): number {
    return this.#time.at(-1) ?? 0;
  }

  /** Time of an event in ns. */
  timeOf(seq: number): number {
    return this.#time[seq - 1] ?? 0;
  }

  /** Whether any recorded event stands in a lane. */
  hasRecorded(lane: number): boolean {
    return this.#recordedLanes.has(lane);
  }

  laneOf(seq: number): number {
    return this.#lane[seq - 1] as number;
  }

  kindOf(seq: number): number {
    return this.#kind[seq - 1] as number;
  }

  failedAt(seq: number): number {
    return this.#failed[seq - 1] as number;
  }

  componentOf(seq: number): string {
    return this.#components[this.#component[seq - 1] as number] ?? '';
  }

  /** Components that occur in recorded events. */
  get components(): readonly string[] {
    return this.#components.filter((component) => component !== '');
  }

  /** How many events there are of each kind. */
  kindCounts(): Partial<Record<EventKind, number>> {
    const counts = new Uint32Array(EVENT_KINDS.length);
    for (const kind of this.#kind) (counts[kind] as number)++;
    return Object.fromEntries(EVENT_KINDS.map((kind, i) => [kind, counts[i]]));
  }

  /** Numbers of the first event in a window (without its end) and of the one behind its last. */
  window(axis: 'time' | 'events', from: number, to: number): readonly [first: number, end: number] {
    if (axis === 'events') {
      return [Math.max(1, Math.ceil(from)), Math.min(this.#time.length + 1, Math.ceil(to))];
    }
    return [firstAtOrAfter(this.#time, from) + 1, firstAtOrAfter(this.#time, to + 1) + 1];
  }

  #laneNumber(event: TraceEvent): number {
    const head = laneOf(event);
    return numbered(this.#laneNumbers, head.id, () => this.lanes.push(head));
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
