import type { Sides } from '../../machine/machine.ts';
import { type EventSource, memorySource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { seqOf } from '../../trace/position.ts';
import { sliceOf } from './slice.ts';
import { askedOf, shows, type Target } from './target.ts';

/** How far a search is; it can be taken up from here. */
export interface MinimizeState {
  /** Events of the whole trace that are left, in order. */
  readonly kept: readonly number[];
  /** Traces that were replayed so far. */
  readonly tried: number;
  /** Parts of so many events are left out at a time. */
  readonly part: number;
}

export interface Minimized {
  readonly events: readonly TraceEvent[];
  readonly tried: number;
}

/** The trace does not show the target at all. */
export class NotShown extends Error {}

/**
 * Searches the smallest trace that shows a target: yields after each trace that was tried, and returns when no single event
 * (with what stands below it) can be left out any more. The order of events is never changed, and the search is the
 * same each time. `from` takes up an earlier one. Throws {@link NotShown} where the whole trace lacks the target.
 */
export function* minimize(
  source: EventSource,
  sides: Sides,
  target: Target,
  from?: Pick<MinimizeState, 'kept' | 'tried'>,
): Generator<MinimizeState, Minimized, undefined> {
  const events = [...source.range(1, source.count)].map((event) => askedOf(target, event));
  const family = familyOf(events);
  /** The entries of the calls that were under way at the start stay: the state refers to them. */
  const under = source.start?.open.length ?? 0;
  let kept = from?.kept ?? events.map(({ seq }) => seq as number);
  let tried = from?.tried ?? 0;

  const showsIt = (seqs: readonly number[]): boolean => {
    tried++;
    const places = new Map(seqs.map((seq, i) => [seq, i + 1]));
    const smaller = memorySource(source.header, chosen(events, seqs));
    const { cut, start } = source;
    const whole = {
      ...smaller,
      ...(cut === undefined ? {} : { cut }),
      ...(start === undefined ? {} : { start }),
    };
    return shows(target, whole, sides, (seq) => places.get(seq) ?? 0);
  };

  if (!showsIt(kept)) throw new NotShown('the trace does not show it');
  yield { kept, tried, part: kept.length };
  if (from === undefined) {
    const slice = sliceOf(source, sides, target, family.rootOf);
    const sliced = kept.filter((seq) => seq <= under || slice.has(family.rootOf(seq)));
    if (sliced.length < kept.length && showsIt(sliced)) kept = sliced;
    yield { kept, tried, part: kept.length };
  }

  /** Leaves out parts of the units, from the last to the first: what came late hangs on what came early. */
  function* round(
    first: number,
    isUnit: (seq: number) => boolean,
  ): Generator<MinimizeState, boolean, undefined> {
    let changed = false;
    for (let part = Math.max(1, first); part >= 1; part = part === 1 ? 0 : (part + 1) >> 1) {
      const units = kept.filter(isUnit);
      for (let end = units.length; end > 0; end -= part) {
        const without = new Set(units.slice(Math.max(0, end - part), end));
        const fewer = kept.filter((seq) => !family.isBelowAny(seq, without));
        if (fewer.length < kept.length && showsIt(fewer)) {
          kept = fewer;
          changed = true;
        }
        yield { kept, tried, part };
      }
    }
    return changed;
  }

  const isStimulus = (seq: number): boolean => seq > under && family.rootOf(seq) === seq;
  const isBelow = (seq: number): boolean => family.rootOf(seq) !== seq;
  yield* round(kept.filter(isStimulus).length >> 1, isStimulus);
  yield* round(kept.filter(isBelow).length, isBelow);
  let changed = true;
  while (changed) {
    changed = yield* round(1, isStimulus);
    if (yield* round(1, isBelow)) changed = true;
  }
  return { events: chosen(events, kept), tried };
}

/** Who stands below whom. */
function familyOf(events: readonly TraceEvent[]) {
  const roots = new Uint32Array(events.length + 1);
  for (const { seq, parent } of events) roots[seq] = parent === undefined ? seq : (roots[parent] ?? seq);
  return {
    rootOf: (seq: number): number => roots[seq] ?? 0,
    isBelowAny: (seq: number, above: ReadonlySet<number>): boolean => {
      for (let at: number | undefined = seq; at !== undefined; at = events[at - 1]?.parent)
        if (above.has(at)) return true;
      return false;
    },
  };
}

/** Events of a trace, numbered anew; what stood below one that is left out is left out too. */
export function chosen(events: readonly TraceEvent[], seqs: readonly number[]): TraceEvent[] {
  const places = new Map(seqs.map((seq, i) => [seq, seqOf(i + 1)]));
  return seqs.map((seq, i) => {
    const event = events[seq - 1] as TraceEvent;
    const parent = event.parent === undefined ? undefined : places.get(event.parent);
    return { ...event, seq: seqOf(i + 1), ...(parent === undefined ? {} : { parent }) };
  });
}
