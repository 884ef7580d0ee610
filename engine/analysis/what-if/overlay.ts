import type { EventSource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import {
  type Address,
  at,
  compareAddresses,
  formatAddress,
  parseAddress,
  type Seq,
  seqOf,
} from '../../trace/position.ts';
import { bare } from './bare.ts';
import type { Edit, EditProblem, Where } from './edit.ts';
import { formatEdit } from './edit.ts';
import { insertedEvent, withField } from './lines.ts';
import type { Original } from './original.ts';
import { headerWith } from './profile.ts';

/** Events of the trace as it was, or one that was changed, moved or put in. */
type Piece = { readonly from: number; readonly to: number } | Item;

/** Its numbers are those of the trace as it was: `label` its own (`812`, `812.3`; `+1` of what was put in), `parent` too. */
interface Item {
  readonly label: string;
  readonly parent: string | undefined;
  readonly event: TraceEvent;
  /** Its answer was set: the engine is not asked. */
  readonly told?: boolean;
}

/** A changed trace: pieces of the one it was, in order; what was recorded is never changed itself. */
export class Overlay {
  readonly #original: Original;
  #header: EventSource['header'];
  #pieces: Piece[];
  #inserted = 0;
  /** Events that were changed, moved or put in. */
  readonly #changed = new Set<string>();
  /** Events that were moved, and all below them. */
  readonly #moved = new Set<string>();
  /** By stimulus: what was taken out below it. */
  readonly #taken = new Map<string, { readonly at: Address; readonly event: TraceEvent }[]>();
  /** Stimuli whose derived events are pieces now. */
  readonly #shown = new Set<number>();
  /** First number of each piece, once the edits are made. */
  #starts: number[] = [];
  readonly #places = new Map<string, number>();

  private constructor(original: Original) {
    this.#original = original;
    this.#header = original.source.header;
    this.#pieces = original.source.count === 0 ? [] : [{ from: 1, to: original.source.count }];
  }

  /** The trace with edits made in their order. */
  static of(original: Original, edits: readonly Edit[]): Overlay | EditProblem {
    const overlay = new Overlay(original);
    for (const edit of edits) {
      const problem = overlay.#make(edit);
      if (problem !== undefined) return { problem: `edit ${JSON.stringify(formatEdit(edit))}: ${problem}` };
    }
    overlay.#number();
    return overlay;
  }

  /** The changed trace to replay; `gone` hears the labels and numbers of recorded events that do not happen in it. */
  source(gone: (label: string, number: number) => void): EventSource {
    const { source, unexplained } = this.#original;
    const count = this.#count;
    const numbers = (labels: Iterable<string>): Set<number> =>
      new Set([...labels].flatMap((label) => this.#numberOf(label) ?? []));
    return {
      header: this.#header,
      count,
      // Below what was changed every kind is recorded; elsewhere as before.
      childKinds: new Set([...source.childKinds, ...this.#kindsBelow()]),
      ...(source.cut === undefined ? {} : { cut: source.cut }),
      ...(source.start === undefined ? {} : { start: source.start }),
      supposed: {
        given: numbers([...this.#changed, ...[...unexplained].map(String)]),
        taken: this.#takenBelow(),
        gone: (seq) => gone(this.label(at(seq)), seq),
      },
      range: (from, to) => this.#range(from, to),
    };
  }

  /** Labels of events that were moved. */
  get moved(): ReadonlySet<string> {
    return this.#moved;
  }

  /** The position of the trace as it was; of what was put in `+1`, `+2`, …, in the order of the edits. */
  label({ seq, sub }: Address): string {
    const own = seq === 0 ? '0' : this.#labelOf(seq);
    if (sub === 0) return own;
    const tail = formatAddress({ seq, sub }).slice(String(seq).length);
    return `${own}${tail}`;
  }

  #make(edit: Edit): string | undefined {
    switch (edit.what) {
      case 'profile': {
        const made = headerWith(this.#header, edit.text, this.#original.source.start !== undefined);
        if ('problem' in made) return made.problem;
        this.#header = made.header;
        return undefined;
      }
      case 'drop': {
        const found = this.#find(edit.at);
        if (typeof found === 'string') return found;
        this.#take(found.label);
        return undefined;
      }
      case 'move': {
        const [found, to] = [this.#find(edit.at), this.#find(edit.to)];
        if (typeof found === 'string') return found;
        if (typeof to === 'string') return to;
        return this.#move(found, edit.where, to);
      }
      case 'set': {
        const found = this.#find(edit.at);
        if (typeof found === 'string') return found;
        const read = withField(found.event, edit.path, edit.value, this.#header.profile);
        if ('problem' in read) return read.problem;
        this.#changed.add(found.label);
        const told = found.told === true || isAnswer(found.event, edit.path[0] ?? '');
        this.#replace(found.label, { ...found, event: read.event, told });
        return undefined;
      }
      case 'insert': {
        const to = this.#find(edit.to);
        if (typeof to === 'string') return to;
        const read = insertedEvent(edit.line, to.event, this.#header.profile);
        if ('problem' in read) return read.problem;
        const parent = read.event.parent === to.event.parent ? to.parent : labelOf(read.event.parent);
        const item = { label: `+${++this.#inserted}`, parent, event: read.event, told: true };
        this.#changed.add(item.label);
        this.#insert([item], edit.where, to);
        return undefined;
      }
    }
  }

  #move(found: Item, where: Where, to: Item): string | undefined {
    const family = this.#family(found.label);
    if (family.some(({ label }) => label === to.label))
      return `${to.label} happens below ${found.label} itself`;
    this.#take(found.label);
    for (const { label } of family) this.#moved.add(label);
    // Among the events below a stimulus it is one of them.
    const [first, ...rest] = family as [Item, ...Item[]];
    if (first.parent !== undefined) for (const { label } of family) this.#changed.add(label);
    this.#insert(
      [{ ...first, parent: first.parent === undefined ? undefined : to.parent }, ...rest],
      where,
      to,
    );
    return undefined;
  }

  /** The event at a position of the trace as it was; else what is wrong with the position. */
  #find(address: Address): Item | string {
    const { source, history, archive } = this.#original;
    const label = formatAddress(address);
    if (!history.has(address)) {
      return address.seq > source.count
        ? `the trace has no event ${label}; its last is ${source.count}`
        : `nothing was derived at ${label}; ${history.derivedBelow(address.seq)} events are derived below ${address.seq}`;
    }
    if (address.sub !== 0 && !this.#shown.has(address.seq)) {
      const step = archive.step(address);
      if (step?.parent === undefined) return `${label} cannot be changed; change event ${address.seq}`;
      const problem = this.#show(address.seq);
      if (problem !== undefined) return problem;
    }
    for (const item of this.#items()) if (item.label === label) return item;
    return `${label} is gone by an edit before this one`;
  }

  /** Makes pieces of the events derived below a stimulus, as if they had been recorded. */
  #show(seq: number): string | undefined {
    const { archive, history, source } = this.#original;
    for (const event of source.range(seq + 1, Math.min(source.count, seq + 1)))
      if (event.parent === seq) return `below ${seq} some events are recorded; change those`;
    const items: Item[] = [];
    for (let sub = 1; sub <= history.derivedBelow(seq); sub++) {
      const step = archive.step(at(seq, sub));
      if (step?.parent === undefined) continue;
      items.push({
        label: formatAddress(step.address),
        parent: formatAddress(step.parent),
        event: bare(step.event, 3),
        told: true,
      });
    }
    this.#shown.add(seq);
    const stimulus = this.#find(at(seq));
    if (typeof stimulus === 'string') return stimulus;
    this.#insert(items, 'after', stimulus);
    return undefined;
  }

  /** The stimulus that an event happened below; undefined for one that is none's. */
  #stimulusOf({ parent }: Item): string | undefined {
    let root: string | undefined;
    for (let above = parent; above !== undefined; above = this.#parentOf(above)) root = above;
    return root;
  }

  #parentOf(label: string): string | undefined {
    for (const piece of this.#pieces) if ('label' in piece && piece.label === label) return piece.parent;
    const seq = Number(label);
    if (!Number.isSafeInteger(seq)) return undefined;
    for (const event of this.#original.source.range(seq, seq)) return labelOf(event.parent);
    return undefined;
  }

  /** An event and all below it, in order. */
  #family(label: string): Item[] {
    const found: Item[] = [];
    const members = new Set<string>([label]);
    for (const item of this.#items()) {
      const isMember = item.label === label || (item.parent !== undefined && members.has(item.parent));
      if (!isMember) continue;
      members.add(item.label);
      found.push(item);
    }
    return found;
  }

  /** Takes out an event and all below it. Who asked for it has the answers that it got. */
  #take(label: string): void {
    const family = this.#family(label);
    const stimulus = family[0] === undefined ? undefined : this.#stimulusOf(family[0]);
    for (const item of family) {
      this.#replace(item.label);
      const at = parseAddress(item.label);
      if (stimulus === undefined || at === undefined || this.#changed.has(item.label)) continue;
      const event = this.#original.archive.step(at)?.event ?? item.event;
      this.#taken.set(stimulus, [...(this.#taken.get(stimulus) ?? []), { at, event }]);
    }
  }

  /** By the number of the stimulus, in the order of the trace as it was. */
  #takenBelow(): Map<number, readonly TraceEvent[]> {
    const below = new Map<number, readonly TraceEvent[]>();
    for (const [stimulus, events] of this.#taken) {
      const number = this.#numberOf(stimulus);
      const ordered = events.toSorted((a, b) => compareAddresses(a.at, b.at));
      if (number !== undefined)
        below.set(
          number,
          ordered.map(({ event }) => event),
        );
    }
    return below;
  }

  /** Puts items beside an event: before it, or after it and all that happens below it. */
  #insert(items: readonly Item[], where: Where, to: Item): void {
    const beside = where === 'before' ? to : (this.#family(to.label).at(-1) ?? to);
    const { t } = beside.event;
    const timed = items.map(({ event, ...item }) => {
      const tEnd = event.kind === 'ioctl' || event.kind === 'hypercall' ? event.tEnd : undefined;
      const end = tEnd === undefined ? {} : { tEnd: t + tEnd - event.t };
      return { ...item, event: { ...event, t, ...end } as TraceEvent };
    });
    this.#replace(beside.label, ...(where === 'before' ? [...timed, beside] : [beside, ...timed]));
  }

  /** Puts items where an event stood. */
  #replace(label: string, ...items: readonly Item[]): void {
    const index = this.#pieces.findIndex((piece) =>
      'label' in piece ? piece.label === label : piece.from <= Number(label) && Number(label) <= piece.to,
    );
    const piece = this.#pieces[index];
    if (piece === undefined) throw new Error(`no event ${label}`);
    if ('label' in piece) {
      this.#pieces.splice(index, 1, ...items);
      return;
    }
    const seq = Number(label);
    const before = piece.from < seq ? [{ from: piece.from, to: seq - 1 }] : [];
    const after = seq < piece.to ? [{ from: seq + 1, to: piece.to }] : [];
    this.#pieces.splice(index, 1, ...before, ...items, ...after);
  }

  *#items(): Iterable<Item> {
    for (const piece of this.#pieces) {
      if ('label' in piece) yield piece;
      else
        for (const event of this.#original.source.range(piece.from, piece.to))
          yield { label: String(event.seq), parent: labelOf(event.parent), event };
    }
  }

  get #count(): number {
    return this.#starts.at(-1) as number;
  }

  #number(): void {
    let next = 1;
    this.#starts = [];
    for (const piece of this.#pieces) {
      this.#starts.push(next);
      if ('label' in piece) this.#places.set(piece.label, next++);
      else next += piece.to - piece.from + 1;
    }
    this.#starts.push(next - 1);
  }

  /** The piece that holds a number of the changed trace. */
  #pieceOf(seq: number): number {
    let lo = 0;
    let hi = this.#pieces.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if ((this.#starts[mid] as number) <= seq) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  }

  #labelOf(seq: number): string {
    const index = this.#pieceOf(seq);
    const piece = this.#pieces[index];
    if (piece === undefined) return String(seq);
    return 'label' in piece ? piece.label : String(piece.from + seq - (this.#starts[index] as number));
  }

  #numberOf(label: string): number | undefined {
    const placed = this.#places.get(label);
    if (placed !== undefined) return placed;
    const seq = Number(label);
    const index = this.#pieces.findIndex((piece) => 'from' in piece && piece.from <= seq && seq <= piece.to);
    const piece = this.#pieces[index];
    if (piece === undefined || 'label' in piece) return undefined;
    return (this.#starts[index] as number) + seq - piece.from;
  }

  *#range(from: number, to: number): Iterable<TraceEvent> {
    const last = Math.min(to, this.#count);
    let seq = Math.max(1, from);
    for (let index = this.#pieceOf(seq); seq <= last && index < this.#pieces.length; index++) {
      const piece = this.#pieces[index] as Piece;
      const { source, explained } = this.#original;
      if ('label' in piece) {
        const { event, told, parent } = piece;
        const plain = told === true ? event : bare(event, explained[event.seq] as number);
        yield this.#renumbered(plain, seq++, parent);
        continue;
      }
      const first = piece.from + seq - (this.#starts[index] as number);
      for (const event of source.range(first, Math.min(piece.to, first + last - seq))) {
        const plain = bare(event, explained[event.seq] as number);
        yield this.#renumbered(plain, seq++, labelOf(event.parent));
      }
    }
  }

  #renumbered(event: TraceEvent, seq: number, parent: string | undefined): TraceEvent {
    const { parent: _parent, ...plain } = event;
    const above = parent === undefined ? undefined : this.#numberOf(parent);
    return (
      above === undefined
        ? { ...plain, seq: seqOf(seq) }
        : { ...plain, seq: seqOf(seq), parent: above as Seq }
    ) as TraceEvent;
  }

  #kindsBelow(): Set<TraceEvent['kind']> {
    const kinds = new Set<TraceEvent['kind']>();
    for (const piece of this.#pieces)
      if ('label' in piece && piece.parent !== undefined) kinds.add(piece.event.kind);
    return kinds;
  }
}

/** What an event is told, as its line has it. */
function isAnswer(event: TraceEvent, key: string): boolean {
  if (event.kind === 'msr') return key === 'fault' || (key === 'value' && event.dir === 'read');
  return key === 'ret' || key === 'out' || key === 'result' || key === 'output' || key === 'fault';
}

function labelOf(parent: number | undefined): string | undefined {
  return parent === undefined ? undefined : String(parent);
}
