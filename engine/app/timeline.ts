import type { EventSource } from '../replay/source.ts';
import { EVENT_KINDS } from '../trace/event.ts';
import type { LaneBucket, TimelineView } from './api.ts';
import { compareLanes, type LaneHead, laneOf } from './lanes.ts';
import { failed } from './names.ts';

/** The events of a trace in columns, 14 bytes an event, for drawing lanes without reading the events again. */
export class TimelineColumns {
  readonly #time: Float64Array;
  readonly #lane: Uint16Array;
  readonly #kind: Uint8Array;
  readonly #failed: Uint8Array;
  readonly #component: Uint16Array;
  readonly #components: string[] = [];
  readonly #lanes: LaneHead[] = [];

  constructor(source: EventSource) {
    const n = source.count;
    this.#time = new Float64Array(n);
    this.#lane = new Uint16Array(n);
    this.#kind = new Uint8Array(n);
    this.#failed = new Uint8Array(n);
    this.#component = new Uint16Array(n);
    const lanes = new Map<string, number>();
    const components = new Map<string, number>();
    let i = 0;
    for (const event of source.range(1, n)) {
      this.#time[i] = event.t;
      this.#kind[i] = EVENT_KINDS.indexOf(event.kind);
      this.#failed[i] = failed(event) ? 1 : 0;
      this.#lane[i] = numbered(lanes, laneOf(event).id, () => this.#lanes.push(laneOf(event)));
      const component = event.component ?? '';
      this.#component[i] = numbered(components, component, () => this.#components.push(component));
      i++;
    }
  }

  /** Time of the last event in ns. */
  get durationNs(): number {
    return this.#time.at(-1) ?? 0;
  }

  /** Lanes with their non-empty buckets between `from` and `to` (ns, or event numbers from 1). */
  view(axis: 'time' | 'events', from: number, to: number, buckets: number): TimelineView {
    const lanes = this.#lanes.map((head) => ({ head, buckets: new Map<number, Bucket>() }));
    const [first, end] =
      axis === 'events'
        ? [Math.max(0, Math.floor(from) - 1), Math.min(this.#time.length, Math.ceil(to))]
        : [firstAtOrAfter(this.#time, from), firstAtOrAfter(this.#time, to + 1)];
    const width = Math.max(to - from, 1) / buckets;
    for (let i = first; i < end; i++) {
      const place = axis === 'events' ? i + 1 : (this.#time[i] as number);
      const bucket = Math.min(buckets - 1, Math.max(0, Math.floor((place - from) / width)));
      this.#add((lanes[this.#lane[i] as number] as { buckets: Map<number, Bucket> }).buckets, bucket, i);
    }
    return {
      axis,
      from,
      to,
      buckets,
      lanes: lanes
        .map(({ head, buckets: filled }) => ({
          ...head,
          buckets: [...filled.values()].map((b) => this.#view(b)),
        }))
        .sort((a, b) => compareLanes(a, b)),
    };
  }

  #add(filled: Map<number, Bucket>, bucket: number, i: number): void {
    const known = filled.get(bucket);
    if (known === undefined) {
      filled.set(bucket, { bucket, count: 1, failed: this.#failed[i] as number, first: i });
    } else {
      known.count++;
      known.failed += this.#failed[i] as number;
    }
  }

  #view({ bucket, count, failed: failures, first }: Bucket): LaneBucket {
    return {
      bucket,
      count,
      failed: failures,
      kind: EVENT_KINDS[this.#kind[first] as number] ?? 'mark',
      component: this.#components[this.#component[first] as number] ?? '',
      at: String(first + 1),
    };
  }
}

interface Bucket {
  readonly bucket: number;
  count: number;
  failed: number;
  readonly first: number;
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
