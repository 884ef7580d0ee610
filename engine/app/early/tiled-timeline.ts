import type { EventSource } from '../../replay/source.ts';
import { failed } from '../../trace/failed.ts';
import { at, formatAddress } from '../../trace/position.ts';
import type { LaneBucket, TimelineSign, TimelineView } from '../api.ts';
import { compareLanes, type LaneHead, type LaneSigns, laneOf } from '../lanes.ts';
import { Buckets } from '../timeline/buckets.ts';
import { signsWithin } from '../timeline/signs.ts';
import type { TimelineInput } from '../timeline/view.ts';
import type { TraceIndex, TraceTiles } from './trace-index.ts';

/** What an answer may cost. */
export interface TileLimits {
  /** A window of at most so many events is counted event by event. */
  readonly closeEvents: number;
  /** Buckets of tiles that are read for one answer, each with a row for every actor. */
  readonly tiles: number;
}

/** Some ten milliseconds for events; with 40 actors some 10,000 rows, a tenth of a second. */
const LIMITS: TileLimits = { closeEvents: 4096, tiles: 256 };

/** Who it was, but for the kind of event: of tiles one object for all of an actor. */
type Actor = Omit<LaneSigns, 'kind'>;

/** Events of one actor and kind that stand together. */
interface Sum {
  readonly actor: Actor;
  readonly kind: LaneSigns['kind'];
  readonly first: number;
  readonly count: number;
  readonly failed: number;
}

/** Where buckets begin: from event `first` on, `size` events each, or as wide as the request wants them. */
interface Cut {
  readonly from: number;
  readonly to: number;
  readonly buckets: number;
  readonly edges?: readonly number[];
  /** Events that the buckets hold. */
  readonly first: number;
  readonly last: number;
  bucketOf(seq: number): number;
}

/** The timeline of recorded events, from the counts that were made while recording: coarse, and there at once. */
export class TiledTimeline {
  readonly #source: EventSource;
  readonly #index: TraceIndex;
  readonly #tiles: TraceTiles;
  readonly #signs: readonly TimelineSign[];
  readonly #limits: TileLimits;
  #lanes: readonly LaneHead[] | undefined;
  #rest: { readonly first: number; readonly sums: readonly Sum[] } | undefined;

  constructor(
    source: EventSource,
    index: TraceIndex,
    tiles: TraceTiles,
    signs: readonly TimelineSign[],
    limits: TileLimits = LIMITS,
  ) {
    this.#limits = limits;
    this.#source = source;
    this.#index = index;
    this.#tiles = tiles;
    this.#signs = signs;
  }

  /** As {@link timelineView} without derived events; of a wide window with buckets that end where tiles do. */
  view(input: TimelineInput): TimelineView {
    const { axis } = input;
    const [first, end] = this.#window(input);
    const isClose = end - first <= this.#limits.closeEvents;
    const level = this.#level(end - first);
    const cut = isClose ? this.#even(input, first, end) : this.#tiled(input, first, end, level);
    // The last bucket may reach beyond the window: what it counts is whole.
    const sums = isClose ? this.#events(cut.first, cut.last) : this.#covered(level, cut.first, cut.last);
    const lanes = this.#allLanes();
    const { from, to, buckets, edges } = cut;
    return {
      ...{ axis, from, to, buckets },
      ...(edges === undefined ? {} : { edges }),
      lanes: filledLanes(lanes, sums, cut),
      signs: signsWithin(this.#signs, axis, from, to),
    };
  }

  /** Numbers of the first event in a window and of the one behind its last. */
  #window({ axis, from, to }: TimelineInput): readonly [first: number, end: number] {
    const { count } = this.#source;
    if (axis === 'events') return [Math.max(1, Math.ceil(from)), Math.min(count + 1, Math.ceil(to))];
    return [this.#index.lastAt(Math.ceil(from) - 1) + 1, this.#index.lastAt(Math.floor(to)) + 1];
  }

  /** The finest level on which so many events take few tiles. */
  #level(events: number): number {
    const level = this.#tiles.events.findIndex((size) => events / size <= this.#limits.tiles);
    return level === -1 ? this.#tiles.events.length - 1 : level;
  }

  /** Buckets as they were asked for. */
  #even({ axis, from, to, buckets }: TimelineInput, first: number, end: number): Cut {
    const width = Math.max(to - from, 1) / buckets;
    const { timeOf } = this.#index;
    const placeOf = axis === 'events' ? (seq: number) => seq : timeOf;
    const bucketOf = (seq: number): number =>
      Math.min(buckets - 1, Math.max(0, Math.floor((placeOf(seq) - from) / width)));
    return { from, to, buckets, first, last: end - 1, bucketOf };
  }

  /** Buckets of one or more whole tiles each that hold the window. */
  #tiled({ axis, buckets: wanted }: TimelineInput, first: number, end: number, level: number): Cut {
    const tile = this.#tiles.events[level] as number;
    const firstTile = Math.floor((first - 1) / tile);
    const tiles = Math.floor((end - 2) / tile) - firstTile + 1;
    const size = tile * Math.ceil(tiles / wanted);
    const buckets = Math.ceil((tiles * tile) / size);
    const begin = firstTile * tile + 1;
    const bucketOf = (seq: number): number => Math.floor((seq - begin) / size);
    const { count } = this.#source;
    const to = begin + buckets * size;
    const whole = { buckets, first: begin, last: Math.min(to - 1, count), bucketOf };
    if (axis === 'events') return { from: begin, to, ...whole };
    const edges = Array.from({ length: buckets + 1 }, (_, i) => {
      const seq = begin + i * size;
      return seq <= count ? this.#index.timeOf(seq) : this.#index.timeOf(count) + 1;
    });
    return { from: edges[0] as number, to: edges[buckets] as number, edges, ...whole };
  }

  /** The whole tiles of a level that hold events `first` to `last`; what lies behind the last full one from below. */
  *#covered(level: number, first: number, last: number): Generator<Sum, void, undefined> {
    if (last < first) return;
    const size = this.#tiles.events[level] as number;
    const full = Math.floor(this.#source.count / size);
    const [from, to] = [Math.floor((first - 1) / size), Math.floor((last - 1) / size)];
    for (const { actor, counts } of this.#tiles.read(level, from, Math.min(to, full - 1)))
      for (const { kind, first, count, failed } of counts) yield { actor, kind, first, count, failed };
    if (to < full) return;
    const rest = Math.max(from, full) * size + 1;
    if (level === 0) yield* this.#behindTiles(rest);
    else yield* this.#covered(level - 1, rest, this.#source.count);
  }

  /** The events behind the last full tile, of which every view of a whole trace has some. */
  #behindTiles(first: number): readonly Sum[] {
    if (this.#rest?.first !== first)
      this.#rest = { first, sums: [...this.#events(first, this.#source.count)] };
    return this.#rest.sums;
  }

  *#events(first: number, last: number): Generator<Sum, void, undefined> {
    if (last < first) return;
    for (const event of this.#source.range(first, last))
      yield { actor: event, kind: event.kind, first: event.seq, count: 1, failed: failed(event) ? 1 : 0 };
  }

  /** Every lane of the trace, in order. */
  #allLanes(): readonly LaneHead[] {
    if (this.#lanes !== undefined) return this.#lanes;
    const { count } = this.#source;
    const [heads, lanes] = [new Heads(), new Map<string, LaneHead>()];
    const top = this.#tiles.events.findLastIndex((size) => size <= count);
    const all = top === -1 ? this.#events(1, count) : this.#covered(top, 1, count);
    for (const sum of all) {
      const head = heads.of(sum);
      lanes.set(head.id, head);
    }
    this.#lanes = [...lanes.values()].sort((a, b) => compareLanes(a, b));
    return this.#lanes;
  }
}

/** The lanes of actors: there are few of these, and thousands of tiles. */
class Heads {
  readonly #heads = new Map<Actor, LaneHead>();

  of({ actor, kind }: Sum): LaneHead {
    // The one kind that has a lane of its own, whoever it was.
    if (kind === 'lifecycle') return laneOf({ kind });
    const known = this.#heads.get(actor);
    if (known !== undefined) return known;
    const head = laneOf({ ...actor, kind });
    this.#heads.set(actor, head);
    return head;
  }
}

function filledLanes(lanes: readonly LaneHead[], sums: Iterable<Sum>, cut: Cut): TimelineView['lanes'] {
  const numbers = new Map(lanes.map(({ id }, i) => [id, i]));
  const filled = new Buckets(lanes.length, cut.buckets);
  const [heads, firsts]: [Heads, Sum[]] = [new Heads(), []];
  for (const sum of sums) {
    const { first, count, failed } = sum;
    const lane = numbers.get(heads.of(sum).id) as number;
    filled.add(lane, cut.bucketOf(first), count, failed, 0, first, firsts.push(sum) - 1);
  }
  return lanes.map((head, lane) => ({
    ...head,
    buckets: filled.lane(lane).map(({ seq, place, ...sum }): LaneBucket => {
      const { kind, actor } = firsts[place] as Sum;
      const { component = '' } = actor;
      return { ...sum, kind, component, at: formatAddress(at(seq)) };
    }),
  }));
}
