import type { Sides } from '../../machine/machine.ts';
import { replayBranch } from '../../replay/branch.ts';
import type { History } from '../../replay/history.ts';
import { replayWithHistory } from '../../replay/replay.ts';
import type { EventSource } from '../../replay/source.ts';
import { at, RETURN_SUB } from '../../trace/position.ts';
import { type Alignment, align, type Parting } from './align.ts';
import type { FieldDifference } from './compare.ts';
import { Events } from './events.ts';
import { identicalEvents } from './identical.ts';
import { firstConflict, isReordered } from './order.ts';
import { type CellDifference, MachinePair, type Standing } from './state.ts';

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

/** Called now and then with how much is done, in percent; it may throw to end the work. */
export type DiffProgress = (percent: number) => void;

/** Events that are the same, that only the first trace has, that only the second has. */
export interface Counts {
  readonly aligned: number;
  readonly onlyA: number;
  readonly onlyB: number;
}

/** Two traces gone through event by event. */
export interface Compared extends Counts {
  readonly alignment: Alignment;
  readonly first: Found | undefined;
}

/**
 * Compares two traces by meaning: ids, descriptors, addresses and times may be others, actors that do not touch the same
 * cells may come in another order. The machines are replayed up to the first difference and compared there.
 */
export function diff(a: EventSource, b: EventSource, sides: Sides, progress: DiffProgress = () => {}): Diff {
  const events = [new Events(a), new Events(b)] as const;
  const sources = [readFrom(a, events[0]), readFrom(b, events[1])] as const;
  let histories: readonly [History, History] | undefined;
  const replays = (): readonly [History, History] => {
    histories ??= bothReplayed(sources, sides, events, {});
    return histories;
  };
  const { alignment, first, ...counts } = compare(sources, events, replays, (share) => progress(share * 60));
  if (first === undefined) {
    const fields = profileDifferences(a, b);
    const parted = fields.length > 0 ? ({ a: 0, b: 0, reason: 'profile', fields } as const) : undefined;
    return { equal: parted === undefined, first: parted, state: [], ...counts };
  }
  const [to, other] = placesOf(first, alignment);
  const returns = isAnswer(first) ? [lasts(events[0], to), lasts(events[1], other)] : [false, false];
  histories ??= bothReplayed(sources, sides, events, {
    ...(returns[0] ? {} : { a: to }),
    ...(returns[1] ? {} : { b: other }),
  });
  progress(90);
  const standings = [
    standing(histories[0], to, returns[0] === true),
    standing(histories[1], other, returns[1] === true),
  ] as const;
  const state = new MachinePair(...histories, alignment.comparer.names, alignment).differences(...standings);
  const { parting: _, key: _key, ...shown } = first;
  return { equal: false, first: shown, state, ...counts };
}

/** Goes through two traces and finds where they part first; `replays` is asked for where their actors come in another order. */
export function compare(
  [a, b]: readonly [EventSource, EventSource],
  events: readonly [Events, Events],
  replays: () => readonly [History, History],
  progress: (share: number) => void = () => {},
): Compared {
  const alignment = align(events, [a.header.profile, b.header.profile], (done) =>
    progress(done / Math.max(1, a.count)),
  );
  let first = earliest(alignment, events[0]);
  if (isReordered(alignment)) first = conflictBefore(first, replays(), alignment);
  const { aligned, actors } = alignment;
  const [onlyA, onlyB] = [counted(actors[0]) - aligned, counted(actors[1]) - aligned];
  return { alignment, first, aligned, onlyA, onlyB };
}

/** A trace whose events were read already. */
function readFrom(source: EventSource, events: Events): EventSource {
  return { ...source, range: (from, to) => events.range(from, to) };
}

/** Of traces that begin alike the second goes on where the first was when they parted: half of the work. */
function bothReplayed(
  [a, b]: readonly [EventSource, EventSource],
  sides: Sides,
  events: readonly [Events, Events],
  to: { readonly a?: number; readonly b?: number },
): readonly [History, History] {
  const history = replayWithHistory(a, sides, to.a === undefined ? {} : { to: to.a }).history;
  const end = to.b === undefined ? {} : { to: to.b };
  const branch = replayBranch(b, sides, history, identicalEvents(a, b, events), end);
  return [history, branch ?? replayWithHistory(b, sides, end).history];
}

/** A first difference, and where in the first trace it takes effect. */
export interface Found extends FirstDifference {
  readonly key: number;
  readonly parting: readonly FieldDifference[];
}

/** Events that somebody did. */
function counted(actors: Int32Array): number {
  let n = 0;
  for (const actor of actors) if (actor >= 0) n++;
  return n;
}

/** The first place at which an actor parts, in the order of the first trace. */
function earliest(alignment: Alignment, events: Events): Found | undefined {
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
function keyOf({ a, b, fields }: Parting, { inA }: Alignment, events: Events): number {
  if (a === undefined) return 2 * before(b ?? 0, inA) + 1;
  const event = events.at(a - 1);
  const end = event !== undefined && 'tEnd' in event ? event.tEnd : undefined;
  if (end === undefined || fields.length === 0 || fields.some(({ given }) => given)) return 2 * a;
  let [low, high] = [a, events.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events.at(middle)?.t ?? 0) < end) low = middle + 1;
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

/** All that differs are answers, which take effect when the call returns. */
function isAnswer({ parting }: Found): boolean {
  return parting.length > 0 && parting.every(({ given }) => !given);
}

function lasts(events: Events, seq: number): boolean {
  const event = events.at(seq - 1);
  return event !== undefined && 'tEnd' in event && event.tEnd !== undefined;
}

/** A machine after an event; `returned`: after the return of the call. */
export function standing(history: History, seq: number, returned: boolean): Standing {
  const end = { seq: at(seq).seq, sub: RETURN_SUB };
  const place = returned && history.has(end) ? end : at(seq);
  const during = history.returnedDuring(seq);
  return { offset: history.offset(place), seq: place === end ? (during ?? seq) : seq };
}

/** Parameters that the traces have differently. */
export function profileDifferences(
  a: EventSource,
  b: EventSource,
): Pick<FieldDifference, 'field' | 'a' | 'b'>[] {
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
