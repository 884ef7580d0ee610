import { EVENT_KINDS } from '../../trace/event.ts';
import { at, formatAddress } from '../../trace/position.ts';
import type { AppRequests, LaneBucket, TimelineSign, TimelineView } from '../api.ts';
import { compareLanes } from '../lanes.ts';
import { type Bucket, Buckets } from './buckets.ts';
import type { TimelineColumns } from './columns.ts';
import { signsWithin } from './signs.ts';

export type TimelineInput = AppRequests['timeline']['in'];

const MAX_BUCKETS = 20_000;

/** A request with as many buckets as may be asked for. */
export function withinBuckets(input: TimelineInput): TimelineInput {
  return { ...input, buckets: Math.max(1, Math.min(input.buckets, MAX_BUCKETS)) };
}

/** Lanes with their non-empty buckets between `from` and `to` (ns, or event numbers from 1). */
export function timelineView(
  input: TimelineInput,
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
    filled.add(columns.laneOf(seq), bucketOf(seq), 1, columns.failedAt(seq), 0, seq, RECORDED);
  }
  if (derived) {
    const { derived: below } = columns;
    const [low, high] = below.window(first, end);
    for (let place = low; place < high; place++) {
      const seq = below.seqAt(place);
      filled.add(below.laneAt(place), bucketOf(seq), 1, below.failedAt(place), 1, seq, place);
    }
  }
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
    signs: signsWithin(marks, axis, from, to),
  };
}

/** Place of an event that was recorded. */
const RECORDED = -1;

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
