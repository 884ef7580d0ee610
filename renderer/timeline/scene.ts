/** What the timeline shows, in pixels of the canvas: pure, so that drawing and pointing agree and can be tested. */
import type {
  EventDetail,
  EventRow,
  FindingView,
  Lane,
  TimelineSign,
  TimelineView,
} from '../../engine/app/api.ts';
import { placeOn } from '../model/place.ts';
import { proofOf } from '../model/show.ts';
import type { Axis, Range } from '../model/view.ts';

export const AXIS_PX = 18;
/** The strip of findings below the axis. */
export const STRIP_PX = 16;
/** Lanes share the room that there is, within these bounds. */
export const LEAST_LANE_PX = 18;
const MOST_LANE_PX = 26;
export const TOP_PX = AXIS_PX + STRIP_PX;
/** Signs are made as small as this so as not to overlap; closer events are drawn as bars. */
const LEAST_GLYPH_PX = 6;
export const GLYPH_PX = 13;
/** How far beside a mark the pointer may be. */
const REACH_PX = 7;

export interface SceneInput {
  readonly timeline: TimelineView | undefined;
  readonly axis: Axis;
  readonly range: Range;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly findings: readonly FindingView[];
  readonly shown: FindingView | undefined;
  readonly proofRows: ReadonlyMap<string, EventRow>;
  /** The event at the cursor, with its parent and children. */
  readonly event: EventDetail | undefined;
}

export interface Mark {
  readonly x: number;
  readonly at: string;
  readonly kind: string;
  readonly component: string;
  readonly count: number;
  readonly failed: number;
  /** The engine worked all of it out. */
  readonly derived: boolean;
  /** Size of its sign; 0 for a bar of this width and part of the lane's height. */
  readonly glyphPx: number;
  readonly widthPx: number;
  readonly height: number;
}

export interface LaneScene {
  readonly id: string;
  readonly label: string;
  readonly dimmed: boolean;
  readonly count: number;
  readonly failed: number;
  readonly marks: readonly Mark[];
}

/** A finding's sign in the strip. */
export interface Flag {
  readonly x: number;
  readonly at: string;
  readonly finding: FindingView;
  readonly culprit: boolean;
}

/** A divergence, a gap or a note, in the strip. */
export interface SignScene extends TimelineSign {
  readonly x: number;
}

export interface Arrow {
  readonly fromX: number;
  readonly fromLane: number;
  readonly toX: number;
  readonly toLane: number;
}

export interface Scene {
  readonly lanePx: number;
  readonly lanes: readonly LaneScene[];
  readonly flags: readonly Flag[];
  readonly signs: readonly SignScene[];
  /** Places of the proof of the finding that is shown. */
  readonly proof: readonly number[];
  readonly arrows: readonly Arrow[];
  readonly cursor: number | undefined;
}

export function buildScene(input: SceneInput): Scene {
  const { axis, range, widthPx, findings, shown, proofRows, event } = input;
  const xOf = (place: number): number => ((place - range.from) / (range.to - range.from)) * widthPx;
  const xOfRow = (row: EventRow): number => xOf(placeOn(axis, row));
  const involved = new Set(
    (shown === undefined ? [] : proofOf(shown)).flatMap(
      (at) => proofRows.get(at.replace(/r$/, ''))?.lane ?? [],
    ),
  );
  const answered = input.timeline?.lanes ?? [];
  // Derived events have lanes that the timeline may not know: then nothing is there to be set off.
  const some = answered.some(({ id }) => involved.has(id));
  const lanes = arranged(answered, involved).map((lane) =>
    laneScene(lane, input, xOf, some && !involved.has(lane.id)),
  );
  const laneOf = new Map(lanes.map(({ id }, i) => [id, i]));
  const flags = findings.flatMap((finding) => flagsOf(finding, shown, proofRows, xOfRow));
  const room = Math.floor((input.heightPx - TOP_PX) / Math.max(1, lanes.length));
  return {
    lanePx: Math.min(MOST_LANE_PX, Math.max(LEAST_LANE_PX, room)),
    lanes,
    flags,
    signs: (input.timeline?.signs ?? []).map((sign) => ({ ...sign, x: xOf(placeOn(axis, sign)) })),
    proof: flags.filter(({ finding }) => finding === shown).map(({ x }) => x),
    arrows: event === undefined ? [] : arrowsOf(event, laneOf, xOfRow),
    cursor: event === undefined ? undefined : xOfRow(event.row),
  };
}

/** Lanes that a finding involves come first; else the order is that of the answer. */
export function arranged(lanes: readonly Lane[], involved: ReadonlySet<string>): Lane[] {
  return [...lanes.filter(({ id }) => involved.has(id)), ...lanes.filter(({ id }) => !involved.has(id))];
}

function laneScene(
  lane: Lane,
  input: SceneInput,
  xOf: (place: number) => number,
  dimmed: boolean,
): LaneScene {
  const { timeline, axis } = input;
  if (timeline === undefined || timeline.axis !== axis) {
    return { id: lane.id, label: lane.label, dimmed, count: 0, failed: 0, marks: [] };
  }
  // The answer may still be that of an older window: its buckets are drawn where they belong in this one.
  const step = (timeline.to - timeline.from) / timeline.buckets;
  const edgeOf = (bucket: number): number => timeline.edges?.[bucket] ?? timeline.from + bucket * step;
  const most = lane.buckets.reduce((max, { count }) => Math.max(max, count), 1);
  const xs = lane.buckets.map(({ bucket, count, at }) =>
    axis === 'events' && count === 1
      ? xOf(Number.parseInt(at, 10))
      : xOf((edgeOf(bucket) + edgeOf(bucket + 1)) / 2),
  );
  const marks = lane.buckets.map(({ bucket, count, failed, derived, kind, component, at }, i): Mark => {
    const x = xs[i] ?? 0;
    const room = Math.min(
      x - (xs[i - 1] ?? Number.NEGATIVE_INFINITY),
      (xs[i + 1] ?? Number.POSITIVE_INFINITY) - x,
    );
    const widthPx = Math.max(1.5, xOf(edgeOf(bucket + 1)) - xOf(edgeOf(bucket)));
    // A sign would stand for one event; a bucket as wide as a sign holds what is not told one by one.
    const isCoarse = count > 1 && widthPx >= LEAST_GLYPH_PX && room < GLYPH_PX;
    return {
      x,
      at,
      kind,
      component,
      count,
      failed,
      derived: derived === count,
      glyphPx: isCoarse || room < LEAST_GLYPH_PX ? 0 : Math.min(GLYPH_PX, Math.floor(room) + 1),
      widthPx,
      height: Math.log2(count + 1) / Math.log2(most + 1),
    };
  });
  return {
    id: lane.id,
    label: lane.label,
    dimmed,
    count: lane.buckets.reduce((sum, { count }) => sum + count, 0),
    failed: lane.buckets.reduce((sum, { failed }) => sum + failed, 0),
    marks,
  };
}

function flagsOf(
  finding: FindingView,
  shown: FindingView | undefined,
  rows: ReadonlyMap<string, EventRow>,
  xOfRow: (row: EventRow) => number,
): Flag[] {
  // Only the finding that is shown spreads out its proof.
  const places = finding === shown ? proofOf(finding) : [finding.culprit.at];
  return places.flatMap((at) => {
    const row = rows.get(at.replace(/r$/, ''));
    return row === undefined ? [] : [{ x: xOfRow(row), at, finding, culprit: at === finding.culprit.at }];
  });
}

function arrowsOf(
  { row, parent, children }: EventDetail,
  laneOf: ReadonlyMap<string, number>,
  xOfRow: (row: EventRow) => number,
): Arrow[] {
  const pairs: (readonly [EventRow, EventRow])[] = [
    ...(parent === undefined ? [] : [[parent, row] as const]),
    ...children.map((child) => [row, child] as const),
  ];
  return pairs.flatMap(([from, to]) => {
    const [fromLane, toLane] = [laneOf.get(from.lane), laneOf.get(to.lane)];
    if (fromLane === undefined || toLane === undefined || from.at === to.at) return [];
    return [{ fromX: xOfRow(from), fromLane, toX: xOfRow(to), toLane }];
  });
}

export type Pointed =
  | { readonly flag: Flag }
  | { readonly sign: SignScene }
  | { readonly lane: LaneScene; readonly mark: Mark };

/** What lies under the pointer, `y` counted from the top of the lanes that are scrolled by `scrollPx`. */
export function pointedAt(scene: Scene, x: number, y: number, scrollPx: number): Pointed | undefined {
  if (y < TOP_PX) {
    if (y < AXIS_PX) return undefined;
    const flag = nearest(scene.flags, x);
    const sign = flag === undefined ? nearest(scene.signs, x) : undefined;
    if (flag !== undefined) return { flag };
    return sign === undefined ? undefined : { sign };
  }
  const lane = scene.lanes[Math.floor((y - TOP_PX + scrollPx) / scene.lanePx)];
  const mark = lane === undefined ? undefined : nearest(lane.marks, x);
  return lane === undefined || mark === undefined ? undefined : { lane, mark };
}

function nearest<T extends { readonly x: number }>(marks: readonly T[], x: number): T | undefined {
  let best: T | undefined;
  for (const mark of marks) {
    if (Math.abs(mark.x - x) < Math.abs((best?.x ?? Number.POSITIVE_INFINITY) - x)) best = mark;
  }
  return best !== undefined && Math.abs(best.x - x) <= REACH_PX ? best : undefined;
}
