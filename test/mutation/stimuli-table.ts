/** Table two: every stimulus that is changed shows, or is of a field that is proven to change nothing. */
import { replayWithHistory } from '../../engine/replay/replay.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { type Recording, sourceOf } from './corpus.ts';
import { noOpOf } from './no-ops.ts';
import { isApart, swapped, type Tree, treesOf, without } from './order.ts';
import { difference, type Outcome, outcomeOf } from './outcome.ts';
import { changesOf, nameOf } from './stimuli.ts';
import { lineOf } from './text.ts';

/** How a change shows; `nothing`: it does not. */
const SHOWS = ['divergence', 'unmodelled', 'finding', 'end state', 'journal', 'nothing'] as const;
type Shows = (typeof SHOWS)[number];

/** Something to try: a name of what is changed, and the recording with it. */
export interface Trial {
  readonly recording: Recording;
  readonly field: string;
  readonly events: () => readonly TraceEvent[];
  /** What is changed, dropped or swapped with the next. */
  readonly event: TraceEvent;
  /** Positions are others, so that the journal's hash says nothing. */
  readonly moved: boolean;
  /** The event, with all below it, changed no cell; of two that were swapped: none that the other one changed too. */
  readonly idle: () => boolean;
}

/** Everything that can be tried of a recording. */
export function trialsOf(recording: Recording): Trial[] {
  const { events, header } = recording;
  const { profile } = header;
  const trees = treesOf(events);
  const writes = writesOf(recording);
  const changed = trees.map((tree) => cellsOf(tree, writes));
  return trees.flatMap((tree, i): Trial[] => {
    const [event] = tree;
    const [mine, theirs] = [changed[i] ?? new Set(), changed[i + 1] ?? new Set()];
    if (event === undefined) return [];
    const idle = () => mine.size === 0;
    const name = nameOf(event, profile);
    const dropped = { field: `${name} dropped`, events: () => without(trees, i), moved: true, idle };
    const commutes = () => [...mine].every((cell) => !theirs.has(cell));
    const swap = { field: `${name} swapped`, events: () => swapped(trees, i), moved: true, idle: commutes };
    const fields = changesOf(event, profile).map(({ field, changed: to }) => {
      return { field, events: () => ordered(events, to()), moved: false, idle };
    });
    const all = [...fields, dropped, ...(isApart(trees, i) ? [swap] : [])];
    return all.map((trial) => ({ recording, event, ...trial }));
  });
}

/** The events with one changed; what would stand before its time keeps its own. */
function ordered(events: readonly TraceEvent[], changed: TraceEvent): readonly TraceEvent[] {
  const next = events[changed.seq];
  const late = next !== undefined && next.t < changed.t;
  return events.with(changed.seq - 1, late ? { ...changed, t: next.t } : changed);
}

/** The cells that each event changed. */
function writesOf(recording: Recording): ReadonlyMap<number, ReadonlySet<number>> {
  const { history } = replayWithHistory(sourceOf(recording, recording.events), SIDES);
  const writes = new Map<number, Set<number>>();
  for (const { count, seq, cell, old, now } of history.chunks) {
    for (let i = 0; i < count; i++) {
      if (old[i] === now[i]) continue;
      const of = writes.get(seq[i] as number) ?? new Set();
      writes.set(seq[i] as number, of.add(cell[i] as number));
    }
  }
  return writes;
}

function cellsOf(tree: Tree, writes: ReadonlyMap<number, ReadonlySet<number>>): Set<number> {
  return new Set(tree.flatMap(({ seq }) => [...(writes.get(seq) ?? [])]));
}

export class StimulusTable {
  readonly rows = new Map<string, Record<Shows, number>>();
  /** What shows nothing and is no proven no-op: there must be none. */
  readonly missed: string[] = [];
  /** What shows nothing, by the reason why. */
  readonly reasons = new Map<string, number>();
  readonly #untouched = new Map<Recording, Outcome>();

  /** Rows of fields: how often a change of each showed how. */
  markdown(): string {
    const rows = [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = rows.map(([name, row]) => `| ${name} | ${SHOWS.map((how) => row[how]).join(' | ')} |`);
    return [`| field | ${SHOWS.join(' | ')} |`, `|---|${'---|'.repeat(SHOWS.length)}`, ...lines].join('\n');
  }

  /** How often each way, in all: `divergence 812, unmodelled 3, …`. */
  totals(): string {
    const rows = [...this.rows.values()];
    return SHOWS.map((how) => `${how} ${rows.reduce((sum, row) => sum + row[how], 0)}`).join(', ');
  }

  try({ recording, field, event, events, moved, idle }: Trial): void {
    const before = this.#untouched.get(recording) ?? outcomeOf(sourceOf(recording, recording.events));
    this.#untouched.set(recording, before);
    const found = difference(before, outcomeOf(sourceOf(recording, events())));
    const shown = found === 'journal' && moved && idle() ? 'nothing' : (found ?? 'nothing');
    const row = this.rows.get(field) ?? newRow();
    this.rows.set(field, row);
    row[shown]++;
    if (shown !== 'nothing') return;
    const reason = noOpOf(field, event, idle());
    if (reason === undefined)
      this.missed.push(`${field}: ${recording.name}: ${lineOf(recording.header, event)}`);
    else this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }
}

function newRow(): Record<Shows, number> {
  return Object.fromEntries(SHOWS.map((name) => [name, 0])) as Record<Shows, number>;
}
