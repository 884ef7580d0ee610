import { EVENT_KINDS } from '../../trace/event.ts';
import { at, formatAddress } from '../../trace/position.ts';
import type { AppRequests, LaneBucket, TimelineSign, TimelineView } from '../api.ts';
import { compareLanes } from '../lanes.ts';
import type { TimelineColumns } from './columns.ts';

/** Signs of one answer. */
const MAX_SIGNS = 1000;

/** Lanes with their non-empty buckets between `from` and `to` (ns, or event numbers from 1). */
export function timelineView(
  input: AppRequests['timeline']['in'],
  columns: TimelineColumns,
  marks: readonly TimelineSign[],
): TimelineView {
  const { axis, from, to, buckets, derived } = input;
  const [first, end] = columns.window(axis, from, to);
  const width = Math.max(to - from, 1) / buckets;
  const filled = new Buckets(columns.lanes.length, buckets);
  const bucketOf = (seq: number): number => {
    const place = axis === 'events' ? seq : columns.timeOf(seq);
    return Math.min(buckets - 1, Math.max(0, Math.floor((place - from) / width)));
  };
  for (let seq = first; seq < end; seq++) {
    filled.add(columns.laneOf(seq), bucketOf(seq), columns.failedAt(seq), seq, RECORDED);
  }
  if (derived) {
    const { derived: below } = columns;
    const [low, high] = below.window(first, end);
    for (let place = low; place < high; place++) {
      const seq = below.seqAt(place);
      filled.add(below.laneAt(place), bucketOf(seq), below.failedAt(place), seq, place);
    }
  }
  const isIn = (sign: TimelineSign): boolean => {
    const place = axis === 'events' ? Number.parseInt(sign.at, 10) : sign.tNs;
    return place >= from && place <= to;
  };
  return {
    ...{ axis, from, to, buckets },
    lanes: columns.lanes
      .flatMap((head, lane) => {
        const views = filled.lane(lane).map((sums) => bucketView(columns, sums));
        return views.length === 0 && !derived && !columns.hasRecorded(lane)
          ? []
          : [{ ...head, buckets: views }];
      })
      .sort((a, b) => compareLanes(a, b)),
    signs: marks.filter(isIn).slice(0, MAX_SIGNS),
  };
}

interface Bucket {
  readonly bucket: number;
  readonly count: number;
  readonly failed: number;
  readonly derived: number;
  /** The first event: its number, and its place among the derived ones. */
  readonly seq: number;
  readonly place: number;
}

/** Place of an event that was recorded. */
const RECORDED = -1;

/** Sums of every lane and bucket, in flat arrays: a million events are counted within some milliseconds. */
class Buckets {
  readonly #buckets: number;
  readonly #count: Uint32Array;
  readonly #failed: Uint32Array;
  readonly #derived: Uint32Array;
  readonly #seq: Uint32Array;
  readonly #place: Int32Array;

  constructor(lanes: number, buckets: number) {
    this.#buckets = buckets;
    this.#count = new Uint32Array(lanes * buckets);
    this.#failed = new Uint32Array(lanes * buckets);
    this.#derived = new Uint32Array(lanes * buckets);
    this.#seq = new Uint32Array(lanes * buckets);
    this.#place = new Int32Array(lanes * buckets);
  }

  add(lane: number, bucket: number, failed: number, seq: number, place: number): void {
    const i = lane * this.#buckets + bucket;
    if (this.#count[i] === 0) {
      this.#seq[i] = seq;
      this.#place[i] = place;
    }
    (this.#count[i] as number)++;
    (this.#failed[i] as number) += failed;
    if (place !== RECORDED) (this.#derived[i] as number)++;
  }

  /** Non-empty buckets of a lane. */
  lane(lane: number): Bucket[] {
    const found: Bucket[] = [];
    for (let bucket = 0; bucket < this.#buckets; bucket++) {
      const i = lane * this.#buckets + bucket;
      const all = this.#count[i] as number;
      if (all === 0) continue;
      found.push({
        ...{ bucket, count: all, failed: this.#failed[i] as number, derived: this.#derived[i] as number },
        ...{ seq: this.#seq[i] as number, place: this.#place[i] as number },
      });
    }
    return found;
  }
}

function bucketView(columns: TimelineColumns, sums: Bucket): LaneBucket {
  const { bucket, seq, place, count, failed, derived } = sums;
  const below = columns.derived;
  const isRecorded = place === RECORDED;
  return {
    ...{ bucket, count, failed, derived },
    kind: EVENT_KINDS[isRecorded ? columns.kindOf(seq) : below.kindAt(place)] ?? 'mark',
    component: isRecorded ? columns.componentOf(seq) : '',
    at: formatAddress(isRecorded ? at(seq) : at(seq, below.subAt(place))),
  };
}
