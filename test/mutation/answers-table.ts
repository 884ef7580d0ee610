/** Table one: every checked answer that is changed is a divergence there; what is not checked is bound, with its reason. */
import { replay } from '../../engine/replay/replay.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { type Mutation, placeOf } from './answers.ts';
import { type Recording, sourceOf } from './corpus.ts';
import { lineOf, readBack } from './text.ts';

/** What became of the changes of one field of one kind of event. */
export interface AnswerRow {
  changed: number;
  /** A divergence at that position and field. */
  found: number;
  /** Not compared, by reason: one of the bindable outputs, or `unmodelled`. */
  readonly bound: Map<string, number>;
}

export class AnswerTable {
  readonly rows = new Map<string, AnswerRow>();
  /** Changes that nothing found and nothing explains: there must be none. */
  readonly missed: string[] = [];

  /**
   * Changes answers of a recording, one by one. Gives the fields of which a change was found and those that are bound,
   * each with its place.
   */
  change(recording: Recording, mutations: readonly Mutation[]): { found: Set<string>; bound: Set<string> } {
    const found = new Set<string>();
    const whys = new Map<string, readonly string[]>();
    for (const mutation of mutations) {
      const { event, field, of } = mutation;
      const row = this.#row(`${event.kind} ${field} (${of})`);
      row.changed++;
      const place = placeOf(mutation);
      const changed = readBack(recording.header, mutation.changed());
      const { divergences } = replay(
        sourceOf(recording, recording.events.with(event.seq - 1, changed)),
        SIDES,
      );
      if (divergences.some((each) => each.at === place && each.field === field)) {
        row.found++;
        if (mutation.bound !== true) found.add(`${place} ${field} ${of}`);
        continue;
      }
      const key = `${place} ${field} ${of}`;
      const reasons = whys.get(key) ?? boundBy(recording, mutation);
      whys.set(key, reasons);
      if (reasons.length === 0)
        this.missed.push(`${recording.name}: ${place} ${field}: ${lineOf(recording.header, changed)}`);
      for (const reason of reasons) row.bound.set(reason, (row.bound.get(reason) ?? 0) + 1);
    }
    return { found, bound: new Set(whys.keys()) };
  }

  /** Rows of fields: changed, found, bound and for what reason. */
  markdown(): string {
    const rows = [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1));
    const lines = rows.map(([name, { changed, found, bound }]) => {
      const reasons = [...bound].map(([reason, n]) => `${n} ${reason}`).join(', ');
      return `| ${name} | ${changed} | ${found} | ${reasons} |`;
    });
    return ['| field | changed | found | bound |', '|---|---|---|---|', ...lines].join('\n');
  }

  #row(name: string): AnswerRow {
    const row = this.rows.get(name) ?? { changed: 0, found: 0, bound: new Map() };
    this.rows.set(name, row);
    return row;
  }
}

/**
 * Why a changed field is not found: what is bound (or not modelled) with the field in the record, and is not without it.
 */
function boundBy(recording: Recording, { event, field }: Mutation): string[] {
  const last = lastOf(recording, event);
  const [with_, without] = [event, lacking(event, field)].map((each) => {
    const events = recording.events.with(event.seq - 1, each);
    const { bound, unmodelled } = replay(sourceOf(recording, events), SIDES, { to: last });
    return { ...bound, unmodelled } as Readonly<Record<string, number>>;
  });
  return Object.keys(with_ ?? {}).filter((reason) => (with_?.[reason] ?? 0) > (without?.[reason] ?? 0));
}

/** The event at which all that is compared of this one has been. */
function lastOf({ events }: Recording, event: TraceEvent): number {
  if (event.kind !== 'ioctl' && event.kind !== 'fd') return event.seq;
  const end = event.kind === 'ioctl' ? (event.tEnd ?? event.t) : event.t;
  let last = event.seq;
  while ((events[last]?.t ?? Number.POSITIVE_INFINITY) <= end) last++;
  return Math.min(last + 1, events.length);
}

/** The event as a recorder leaves it that does not see the field; a write of a register has its value. */
function lacking(event: TraceEvent, field: string): TraceEvent {
  if (event.kind === 'msr' && event.dir === 'write' && field === 'value') return { ...event, msr: 0 };
  const { out, ...rest } = event as TraceEvent & { readonly out?: object };
  if (field.startsWith('out.')) {
    const { [field.slice(4)]: _gone, ...others } = (out ?? {}) as Record<string, unknown>;
    return { ...event, out: others } as TraceEvent;
  }
  const name = field === 'status' || field === 'reps' ? 'result' : field;
  const { [name]: _gone, ...others } = { ...rest, ...(out === undefined ? {} : { out }) } as Record<
    string,
    unknown
  >;
  return others as unknown as TraceEvent;
}
