import type { Sides } from '../../machine/machine.ts';
import type { History } from '../../replay/history.ts';
import { replayWithHistory } from '../../replay/replay.ts';
import type { EventSource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { at, RETURN_SUB } from '../../trace/position.ts';
import { type Alignment, align, type Parting } from './align.ts';
import type { FieldDifference } from './compare.ts';
import { firstConflict, isReordered } from './order.ts';
import { type CellDifference, compareStates, type Standing } from './state.ts';

/**
 * Why two traces part: an event has other fields, is missing in the second, is there alone, stands where the other trace has
 * something else, came to a cell in another order; or only their profiles differ.
 */
export type Reason = 'changed' | 'missing' | 'added' | 'replaced' | 'order' | 'profile';

export interface FirstDifference {
  /** Positions, 1-based; undefined where the trace has nothing there, 0 for the profiles. */
  readonly a: number | undefined;
  readonly b: number | undefined;
  readonly reason: Reason;
  readonly fields: readonly Pick<FieldDifference, 'field' | 'a' | 'b'>[];
}

export interface Diff {
  readonly equal: boolean;
  readonly first: FirstDifference | undefined;
  /** Cells that differ right after the first difference. */
  readonly state: readonly CellDifference[];
  readonly aligned: number;
  readonly onlyA: number;
  readonly onlyB: number;
}

/** Called now and then with how much is done, in percent. */
export type DiffProgress = (percent: number) => void;

/**
 * Compares two traces by meaning: ids, descriptors, addresses and times may be others, actors that do not touch the same
 * cells may come in another order. The machines are replayed up to the first difference and compared there.
 */
export function diff(a: EventSource, b: EventSource, sides: Sides, progress: DiffProgress = () => {}): Diff {
  const events = [[...a.range(1, a.count)], [...b.range(1, b.count)]] as const;
  const [sourceA, sourceB] = [kept(a, events[0]), kept(b, events[1])];
  progress(20);
  const alignment = align(events, [a.header.profile, b.header.profile]);
  progress(60);
  let first = earliest(alignment, events[0]);
  let histories: readonly [History, History] | undefined;
  if (isReordered(alignment)) {
    histories = [replayWithHistory(sourceA, sides).history, replayWithHistory(sourceB, sides).history];
    first = conflictBefore(first, histories, alignment);
  }
  const counts = {
    aligned: alignment.aligned,
    onlyA: counted(events[0]) - alignment.aligned,
    onlyB: counted(events[1]) - alignment.aligned,
  };
  if (first === undefined) {
    const fields = profileDifferences(a, b);
    const parted = fields.length > 0 ? ({ a: 0, b: 0, reason: 'profile', fields } as const) : undefined;
    return { equal: parted === undefined, first: parted, state: [], ...counts };
  }
  const [to, other] = placesOf(first, alignment);
  const isAnswer = first.fields.length > 0 && first.parting.every(({ given }) => !given);
  const standings = [
    standing(sourceA, sides, to, isAnswer, histories?.[0]),
    standing(sourceB, sides, other, isAnswer, histories?.[1]),
  ] as const;
  progress(90);
  const state = compareStates(...standings, alignment);
  const { parting: _, key: _key, ...shown } = first;
  return { equal: false, first: shown, state, ...counts };
}

/** A trace whose events were read already. */
function kept(source: EventSource, events: readonly TraceEvent[]): EventSource {
  return { ...source, range: (from, to) => events.slice(from - 1, to) };
}

interface Found extends FirstDifference {
  readonly key: number;
  readonly parting: readonly FieldDifference[];
}

function counted(events: readonly TraceEvent[]): number {
  return events.filter((event) => event.kind !== 'mark' || event.what !== 'note').length;
}

/** The first place at which an actor parts, in the order of the first trace. */
function earliest(alignment: Alignment, events: readonly TraceEvent[]): Found | undefined {
  let first: Found | undefined;
  for (const parting of alignment.partings) {
    const key = keyOf(parting, alignment, events);
    if (first !== undefined && first.key <= key) continue;
    const { a, b, fields } = parting;
    first = { a, b, reason: reasonOf(parting), fields: fields.map(plain), key, parting: fields };
  }
  return first;
}

function plain({ field, a, b }: FieldDifference): Pick<FieldDifference, 'field' | 'a' | 'b'> {
  return { field, a, b };
}

function reasonOf({ a, b, fields }: Parting): Reason {
  if (fields.length > 0) return 'changed';
  if (a === undefined) return 'added';
  return b === undefined ? 'missing' : 'replaced';
}

/**
 * Where in the first trace a difference takes effect: an answer when its call returns, an event that only the second trace
 * has behind the one that stands before it there. Twice the position, so that there is room between two.
 */
function keyOf({ a, b, fields }: Parting, { inA }: Alignment, events: readonly TraceEvent[]): number {
  if (a === undefined) return 2 * before(b ?? 0, inA) + 1;
  const event = events[a - 1];
  const end = event !== undefined && 'tEnd' in event ? event.tEnd : undefined;
  if (end === undefined || fields.length === 0 || fields.some(({ given }) => given)) return 2 * a;
  let [low, high] = [a, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.t ?? 0) < end) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** The event of the other trace that is the like of the nearest one before a position. */
function before(seq: number, partners: Uint32Array): number {
  for (let at = seq - 1; at > 0; at--) if (partners[at] !== 0) return partners[at] as number;
  return 0;
}

/** Where the machines are compared; of two events that changed places both are done in both traces. */
function placesOf({ a, b, reason }: FirstDifference, { inA, inB }: Alignment): readonly [number, number] {
  if (reason === 'order' && a !== undefined && b !== undefined)
    return [Math.max(a, inA[b] ?? 0), Math.max(b, inB[a] ?? 0)];
  return [a ?? before(b ?? 0, inA), b ?? before(a ?? 0, inB)];
}

function conflictBefore(
  first: Found | undefined,
  [a, b]: readonly [History, History],
  alignment: Alignment,
): Found | undefined {
  const conflict = firstConflict(a, b, alignment);
  if (conflict === undefined || (first !== undefined && first.key <= 2 * conflict.a)) return first;
  const fields = [{ field: conflict.path, a: `written by ${conflict.a}`, b: `written by ${conflict.b}` }];
  return { a: conflict.a, b: conflict.b, reason: 'order', fields, key: 2 * conflict.a, parting: [] };
}

function standing(
  source: EventSource,
  sides: Sides,
  seq: number,
  isAnswer: boolean,
  known: History | undefined,
): Standing {
  const event = isAnswer ? [...source.range(seq, seq)][0] : undefined;
  const lasts = event !== undefined && 'tEnd' in event && event.tEnd !== undefined;
  const history = known ?? replayWithHistory(source, sides, lasts ? {} : { to: seq }).history;
  const returned = { seq: at(seq).seq, sub: RETURN_SUB };
  const place = lasts && history.has(returned) ? returned : at(seq);
  const during = history.returnedDuring(seq);
  return { history, offset: history.offset(place), seq: place === returned ? (during ?? seq) : seq };
}

function profileDifferences(a: EventSource, b: EventSource): Pick<FieldDifference, 'field' | 'a' | 'b'>[] {
  const [one, other] = [a.header.profile, b.header.profile];
  return (Object.keys(one) as (keyof typeof one)[])
    .map((field) => ({ field, a: textOf(one[field]), b: textOf(other[field]) }))
    .filter((each) => each.a !== each.b);
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === 'bigint') return `0x${each.toString(16)}`;
    return each instanceof Map ? [...each] : each;
  });
}
