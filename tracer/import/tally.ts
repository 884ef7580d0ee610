import { bounded, type Emitter } from '../sources/emitter.ts';

/** So many unreadable lines are kept as marks; further ones are counted. */
const MAX_KEPT = 10_000;

/** What became of the lines of an import. */
export interface Counts {
  readonly form: string;
  readonly lines: number;
  readonly events: number;
  /** Lines that could not be read and stand in the trace as marks, by reason. */
  readonly unreadable: Readonly<Record<string, number>>;
  /** Lines that could be read and say nothing of the hypervisor, by what they are. */
  readonly other: Readonly<Record<string, number>>;
  /** What the trace says about how it was imported. */
  readonly notes: readonly string[];
}

/** Counts what becomes of lines. Nothing is dropped without being counted here. */
export class Tally {
  readonly #emitter: Emitter;
  readonly #unreadable = new Map<string, number>();
  readonly #other = new Map<string, number>();
  readonly #notes: string[] = [];
  #kept = 0;

  constructor(emitter: Emitter) {
    this.#emitter = emitter;
  }

  /** A line that cannot be read: kept as a mark while there are few. */
  unreadable(reason: string, line: string, t: number): void {
    count(this.#unreadable, reason);
    this.#kept += 1;
    if (this.#kept <= MAX_KEPT) this.#emitter.note(`${reason}: ${line}`, t);
    else if (this.#kept === MAX_KEPT + 1)
      this.#emitter.note(`more than ${MAX_KEPT} lines could not be read: further ones are only counted`, t);
  }

  /** A line that can be read and says nothing of the hypervisor. */
  other(what: string): void {
    // Names come from the text: there may be any number of them.
    count(this.#other, this.#other.size < 1000 || this.#other.has(what) ? what : 'further kinds');
  }

  /** Says something about the import in the trace and in the summary. */
  note(text: string, t: number): void {
    this.#notes.push(bounded(text));
    this.#emitter.note(text, t);
  }

  /** The counts, which also stand as marks at the end of the trace. */
  finish(form: string, lines: number): Counts {
    const t = this.#emitter.now;
    const { late } = this.#emitter;
    if (late > 0) this.note(`${late} events were out of order and stand at the time of the event before`, t);
    const counts = { unreadable: fromMap(this.#unreadable), other: fromMap(this.#other) };
    for (const [title, map] of [
      ['lines that could not be read', this.#unreadable],
      ['lines that say nothing of the hypervisor', this.#other],
    ] as const) {
      if (map.size > 0) this.#emitter.note(`${title}: ${listed(map)}`, t);
    }
    return { form, lines, events: this.#emitter.events, ...counts, notes: this.#notes };
  }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function byCount(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

function fromMap(map: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries(byCount(map));
}

function listed(map: ReadonlyMap<string, number>): string {
  return byCount(map)
    .map(([what, lines]) => `${what} ${lines}`)
    .join(', ');
}
