import type { History } from '../../replay/history.ts';
import type { AppRequests, LaneBucket, TimelineSign, TimelineView } from '../api.ts';
import { compareLanes, type LaneHead } from '../lanes.ts';
import type { EventReader } from '../lists.ts';
import type { TimelineColumns } from './columns.ts';
import { derivedIn } from './derived.ts';

export interface TimelineGround {
  readonly columns: TimelineColumns;
  readonly marks: readonly TimelineSign[];
  readonly history: History;
  readonly reader: EventReader;
}

/** Signs of one answer. */
const MAX_SIGNS = 1000;

/** An event, or several that stand at one place, as a lane takes it. */
export interface Placed {
  readonly lane: LaneHead;
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly component: string;
  readonly count: number;
  readonly failed: number;
  readonly derived: boolean;
}

/** Lanes with their non-empty buckets between `from` and `to` (ns, or event numbers from 1). */
export function timelineView(input: AppRequests['timeline']['in'], ground: TimelineGround): TimelineView {
  const { axis, from, to, buckets, derived } = input;
  const { columns, marks } = ground;
  const [first, end] = columns.window(axis, from, to);
  const width = Math.max(to - from, 1) / buckets;
  const lanes = new Lanes(columns.lanes);
  const bucketOf = (seq: number): number => {
    const place = axis === 'events' ? seq : columns.timeOf(seq);
    return Math.min(buckets - 1, Math.max(0, Math.floor((place - from) / width)));
  };
  for (let seq = first; seq < end; seq++) {
    lanes.addRecorded(columns, seq, bucketOf(seq));
  }
  if (derived) for (const placed of derivedIn(first, end, ground)) lanes.add(placed, bucketOf(placed.seq));
  const isIn = ({ at, tNs }: TimelineSign): boolean => {
    const place = axis === 'events' ? Number.parseInt(at, 10) : tNs;
    return place >= from && place <= to;
  };
  const signs = marks.filter(isIn).slice(0, MAX_SIGNS);
  return { axis, from, to, buckets, lanes: lanes.answer(), signs };
}

interface Bucket {
  count: number;
  failed: number;
  derived: number;
  readonly kind: string;
  readonly component: string;
  readonly at: string;
}

interface FillingLane {
  readonly head: LaneHead;
  readonly filled: Map<number, Bucket>;
}

class Lanes {
  readonly #lanes = new Map<string, FillingLane>();

  constructor(heads: readonly LaneHead[]) {
    for (const head of heads) this.#lanes.set(head.id, { head, filled: new Map() });
  }

  addRecorded(columns: TimelineColumns, seq: number, bucket: number): void {
    const { filled } = this.#lane(columns.laneOf(seq));
    const known = filled.get(bucket);
    const failed = columns.failedAt(seq) ? 1 : 0;
    if (known === undefined) {
      const [kind, component] = [columns.kindOf(seq), columns.componentOf(seq)];
      filled.set(bucket, { count: 1, failed, derived: 0, kind, component, at: String(seq) });
    } else {
      known.count++;
      known.failed += failed;
    }
  }

  add({ lane, at, kind, component, count, failed }: Placed, bucket: number): void {
    const { filled } = this.#lane(lane);
    const known = filled.get(bucket);
    if (known === undefined) filled.set(bucket, { count, failed, derived: count, kind, component, at });
    else {
      known.count += count;
      known.failed += failed;
      known.derived += count;
    }
  }

  answer(): TimelineView['lanes'] {
    return [...this.#lanes.values()]
      .map(({ head, filled }) => ({
        ...head,
        buckets: [...filled]
          .sort(([a], [b]) => a - b)
          .map(([bucket, sums]): LaneBucket => ({ bucket, ...sums })),
      }))
      .sort((a, b) => compareLanes(a, b));
  }

  #lane(head: LaneHead): FillingLane {
    const known = this.#lanes.get(head.id);
    if (known !== undefined) return known;
    const lane = { head, filled: new Map<number, Bucket>() };
    this.#lanes.set(head.id, lane);
    return lane;
  }
}
