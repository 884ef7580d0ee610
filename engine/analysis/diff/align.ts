import type { Profile } from '../../trace/profile.ts';
import { Comparer, type FieldDifference } from './compare.ts';
import type { Events } from './events.ts';
import { type Lane, type Lanes, lanesOf, pairLanes } from './lanes.ts';
import type { Names } from './names.ts';
import { PairComparer } from './pair-comparer.ts';

/** Where two traces part: positions count from 1. */
export interface Parting {
  readonly a: number | undefined;
  readonly b: number | undefined;
  readonly fields: readonly FieldDifference[];
}

/** Called with the number of events of the first trace that are done; it may throw to end the work. */
export type AlignProgress = (done: number) => void;

export interface Alignment {
  /** Event of the second trace that is the same as an event of the first, and the other way round, by position; 0: none. */
  readonly inB: Uint32Array;
  readonly inA: Uint32Array;
  readonly aligned: number;
  /** Where each pair of actors parts, where it does. */
  readonly partings: readonly Parting[];
  /** What its names do not know is called the same in both. */
  readonly comparer: Comparer;
  /** 1 for each event of the first trace, by position, that has other fields in the second. */
  readonly differs: Uint8Array;
  /** Their fields by position, the first {@link KEPT_FIELDS} of them. */
  readonly fields: ReadonlyMap<number, readonly FieldDifference[]>;
  /** Actor of each event of each trace, by position minus 1; -1: a remark, which nobody did and nothing compares. */
  readonly actors: readonly [Int32Array, Int32Array];
}

/** Some 200 bytes each. */
const KEPT_FIELDS = 50_000;
/** Events between two calls of the progress. */
const PROGRESS_EVENTS = 4096;

/** After a difference: how far in both an actor's events are looked through for a place where they agree again. */
const RESYNC_EVENTS = 256;
/** So many events in a row that look the same are such a place. */
const AGREEING = 4;

/** One actor in both traces. */
interface Pair {
  readonly a: Lane;
  readonly b: Lane;
  /** Next event of each. */
  i: number;
  j: number;
  /** Events of the first that the second lacks, still to come. */
  missing: number;
  parted: boolean;
}

/** Goes through two traces, each actor in its own order. */
export function align(
  [a, b]: readonly [Events, Events],
  [profileA, profileB]: readonly [Profile, Profile],
  progress: AlignProgress = () => {},
): Alignment {
  const comparer = new Comparer(profileA, profileB);
  const paired = new PairComparer([a, b], comparer);
  const [inB, inA] = [new Uint32Array(a.count + 1), new Uint32Array(b.count + 1)];
  const [lanesA, lanesB] = [lanesOf(a, a.count, progress), lanesOf(b, b.count, progress)];
  const pairs = pairsOf(lanesA, lanesB, comparer.names);
  const partings: Parting[] = [];
  const alone = new Set<number>();
  const differs = new Uint8Array(a.count + 1);
  const fields = new Map<number, readonly FieldDifference[]>();
  let aligned = 0;

  const part = (pair: Pair, parting: Parting): void => {
    if (!pair.parted) partings.push(parting);
    pair.parted = true;
  };

  /** The next event of the pair's first lane, against that of the second. */
  const step = (pair: Pair, index: number): void => {
    const { a: own, b: others } = pair;
    const i = pair.i++;
    if (pair.missing > 0) {
      pair.missing--;
      return;
    }
    for (let other = others.events[pair.j]; other !== undefined; other = others.events[pair.j]) {
      const looksAlike = own.shapes[i] === others.shapes[pair.j];
      const found = looksAlike ? differences(index, other, own.sort !== 'thread') : [];
      const skip = looksAlike ? (found.length > 0 ? shifted(pair, i) : undefined) : resync(pair, i);
      if (skip === undefined) {
        if (found.length > 0) {
          part(pair, { a: index + 1, b: other + 1, fields: found });
          differs[index + 1] = 1;
          if (fields.size < KEPT_FIELDS) fields.set(index + 1, found);
        }
        inB[index + 1] = other + 1;
        inA[other + 1] = index + 1;
        aligned++;
        pair.j++;
        return;
      }
      const [skipA, skipB] = skip;
      part(pair, {
        a: skipA > 0 ? index + 1 : undefined,
        b: skipB > 0 ? other + 1 : undefined,
        fields: [],
      });
      pair.missing = skipA - 1;
      pair.j += skipB;
      if (skipA > 0) return;
      pair.missing = 0;
    }
    part(pair, { a: index + 1, b: undefined, fields: [] });
  };

  const differences = (i: number, j: number, onCpu: boolean): readonly FieldDifference[] => {
    const found = paired.compare(i, j, onCpu);
    const [above, there] = [a.at(i)?.parent, b.at(j)?.parent];
    if (above === undefined && there === undefined) return found;
    const known = above === undefined ? undefined : inB[above];
    if (above !== undefined && there !== undefined && (known === 0 || known === there)) return found;
    return [...found, { field: 'parent', a: `${above ?? 'none'}`, b: `${there ?? 'none'}`, given: true }];
  };

  for (let index = 0; index < a.count; index++) {
    if (index % PROGRESS_EVENTS === 0) progress(index);
    const lane = lanesA.of[index] ?? -1;
    if (lane < 0) continue;
    const pair = pairs[lane];
    if (pair !== undefined) step(pair, index);
    else if (!alone.has(lane)) {
      alone.add(lane);
      partings.push({ a: index + 1, b: undefined, fields: [] });
    }
  }
  const met = new Set<Lane>();
  for (const pair of pairs) {
    if (pair === undefined) continue;
    met.add(pair.b);
    const rest = pair.b.events[pair.j];
    if (rest !== undefined) part(pair, { a: undefined, b: rest + 1, fields: [] });
  }
  for (const lane of lanesB.lanes) {
    if (!met.has(lane)) partings.push({ a: undefined, b: (lane.events[0] ?? 0) + 1, fields: [] });
  }
  return { inB, inA, aligned, partings, comparer, differs, fields, actors: [lanesA.of, lanesB.of] };
}

function pairsOf(a: Lanes, b: Lanes, names: Names): (Pair | undefined)[] {
  return [...pairLanes(a.lanes, b.lanes)].map((there, i): Pair | undefined => {
    const [one, other] = [a.lanes[i], b.lanes[there]];
    if (one === undefined || other === undefined) return undefined;
    if (one.pid !== undefined && other.pid !== undefined) names.same('process', one.pid, other.pid);
    return { a: one, b: other, i: 0, j: 0, missing: 0, parted: false };
  });
}

/**
 * Two events look the same and differ: one of many of its sort may be missing, which shows where the next ones look
 * different. Tells what to skip where the rest agrees then and would not otherwise.
 */
function shifted(pair: Pair, i: number): readonly [number, number] | undefined {
  const straight = run(pair, i + 1, pair.j + 1);
  const [without, added] = [run(pair, i + 1, pair.j), run(pair, i, pair.j + 1)];
  if (without > straight + 1 && without >= added) return [1, 0];
  return added > straight + 1 ? [0, 1] : undefined;
}

/** How many events look the same from here on. */
function run({ a, b }: Pair, i: number, j: number): number {
  let n = 0;
  while (n < RESYNC_EVENTS && i + n < a.shapes.length && a.shapes[i + n] === b.shapes[j + n]) n++;
  return n;
}

/** What to skip of both lanes so that they agree again: as little as can be. */
function resync(pair: Pair, i: number): readonly [number, number] {
  const { a, b, j } = pair;
  const [leftA, leftB] = [a.shapes.length - i, b.shapes.length - j];
  for (let skipped = 1; skipped <= RESYNC_EVENTS; skipped++) {
    for (let skipA = Math.min(skipped, leftA); skipA >= 0; skipA--) {
      const skipB = skipped - skipA;
      if (skipB > leftB) break;
      const ahead = Math.min(AGREEING, leftA - skipA, leftB - skipB);
      if (ahead === 0 && (leftA !== skipA || leftB !== skipB)) continue;
      if (run(pair, i + skipA, j + skipB) >= ahead) return [skipA, skipB];
    }
  }
  return [leftA, leftB];
}
