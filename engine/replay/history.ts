import type { StoreCheckpoint, StoreTables, WholeTables } from '../state/checkpoint.ts';
import type { JournalChunk } from '../state/journal.ts';
import type { CellId } from '../state/store.ts';
import { type Address, at, RETURN_SUB } from '../trace/position.ts';
import type { OpenCall } from './frame.ts';
import type { Step } from './step.ts';

/** A point from which a replay can be continued: the state before event `nextSeq`. */
export interface Checkpoint {
  readonly nextSeq: number;
  readonly store: StoreCheckpoint;
  readonly open: readonly OpenCall[];
}

/** One journalled write. */
export interface CellWrite {
  readonly entry: number;
  readonly cell: CellId;
  readonly old: bigint;
  readonly oldKnown: boolean;
  readonly now: bigint;
  readonly at: Address;
  readonly component: string;
}

/**
 * What a replay leaves behind to look at: the journal, where each event's writes begin in it, checkpoints, and
 * how many events were derived below each. Everything that travels in time reads this; nothing is re-executed.
 */
export class History {
  readonly chunks: readonly JournalChunk[];
  readonly tables: WholeTables;
  readonly checkpoints: readonly Checkpoint[];
  readonly #starts: Uint32Array;
  readonly #derived: Uint32Array;
  readonly #returns: ReadonlyMap<number, ReturnRange>;
  /** Entry numbers grouped by cell: `#byCell[#cellStart[c]] … #byCell[#cellStart[c + 1] - 1]`. */
  #cellStart: Uint32Array | undefined;
  #byCell = new Uint32Array(0);

  constructor(parts: HistoryParts) {
    this.chunks = parts.chunks;
    this.tables = parts.tables;
    this.checkpoints = parts.checkpoints;
    this.#starts = parts.starts;
    this.#derived = parts.derived;
    this.#returns = parts.returns;
  }

  /** Journal entries in all. */
  get entries(): number {
    const last = this.chunks.at(-1);
    return last === undefined ? (this.#starts.at(-1) ?? 0) : last.first + last.count;
  }

  /** Number of recorded events. */
  get events(): number {
    return this.#starts.length - 2;
  }

  /** Events derived below a recorded one. */
  derivedBelow(seq: number): number {
    return this.#derived[seq] ?? 0;
  }

  /** Journal length at a position: the state after `address` is the effect of this many entries. */
  offset(address: Address): number {
    if (address.seq === 0) return this.#starts[1] ?? 0;
    const returned = this.#returns.get(address.seq);
    if (address.sub === RETURN_SUB && returned !== undefined) return returned.to;
    const start = this.#starts[address.seq];
    if (start === undefined) return this.entries;
    const end = this.#starts[address.seq + 1] ?? this.entries;
    const inCall = this.#scan(start, end, address);
    if (returned === undefined || inCall < end) return inCall;
    // Derived below the return phase: those writes stand where the call returned.
    return address.sub > 0 && returned.firstSub !== undefined && address.sub >= returned.firstSub
      ? this.#scan(returned.from, returned.to, address)
      : inCall;
  }

  /** The event while which a call returned; undefined when it never did. */
  returnedDuring(seq: number): number | undefined {
    const returned = this.#returns.get(seq);
    return returned === undefined ? undefined : Math.min(returned.before, this.events);
  }

  /** Whether a position exists in this trace. */
  has(address: Address): boolean {
    if (address.seq === 0) return address.sub === 0;
    if (address.seq > this.events) return false;
    if (address.sub === 0) return true;
    if (address.sub === RETURN_SUB) return this.#returns.has(address.seq);
    return address.sub <= this.derivedBelow(address.seq);
  }

  /** One entry of the journal. */
  write(entry: number): CellWrite {
    const chunk = this.chunkOf(entry);
    const i = entry - chunk.first;
    return {
      entry,
      cell: chunk.cell[i] as CellId,
      old: chunk.old[i] as bigint,
      oldKnown: ((chunk.flags[i] as number) & 1) === 0,
      now: chunk.now[i] as bigint,
      at: at(chunk.seq[i] as number, chunk.sub[i] as number),
      component: this.tables.components[chunk.component[i] as number] ?? 'unknown',
    };
  }

  chunkOf(entry: number): JournalChunk {
    let lo = 0;
    let hi = this.chunks.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if ((this.chunks[mid] as JournalChunk).first <= entry) lo = mid;
      else hi = mid - 1;
    }
    const chunk = this.chunks[lo];
    if (chunk === undefined || entry >= chunk.first + chunk.count) throw new RangeError(`no entry ${entry}`);
    return chunk;
  }

  /** Entry numbers of the writes of one cell, oldest first. */
  writesOf(cell: CellId): Uint32Array {
    this.#indexCells();
    const starts = this.#cellStart as Uint32Array;
    if (cell + 1 >= starts.length) return this.#byCell.subarray(0, 0);
    return this.#byCell.subarray(starts[cell], starts[cell + 1]);
  }

  /** The last write of a cell among the first `offset` entries. */
  lastWrite(cell: CellId, offset: number): CellWrite | undefined {
    const entries = this.writesOf(cell);
    const place = lowerBound(entries, offset) - 1;
    return place < 0 ? undefined : this.write(entries[place] as number);
  }

  /**
   * Behind the last entry from `start` up to `end` that an address at or before `address` wrote. A call that goes on
   * writes before the first entry of the event below it, so what others wrote in between comes along.
   */
  #scan(start: number, end: number, address: Address): number {
    let after = start;
    for (let entry = start; entry < end; entry++) {
      const chunk = this.chunkOf(entry);
      const i = entry - chunk.first;
      if (chunk.seq[i] !== address.seq) continue;
      if ((chunk.sub[i] as number) > address.sub) break;
      after = entry + 1;
    }
    return after;
  }

  /** What this history and one that goes on otherwise from event `nextSeq` have in common: the first `entries` entries. */
  before(nextSeq: number, entries: number): HistoryParts {
    const chunks = this.chunks
      .filter(({ first }) => first < entries)
      .map((chunk) => ({ ...chunk, count: Math.min(chunk.count, entries - chunk.first) }));
    const { tables } = this;
    const checkpoints = this.checkpoints.filter((each) => each.nextSeq < nextSeq);
    const returns = new Map([...this.#returns].filter(([, { to }]) => to <= entries));
    const [starts, derived] = [this.#starts.subarray(0, nextSeq), this.#derived.subarray(0, nextSeq)];
    return { chunks, tables, checkpoints, starts, derived, returns };
  }

  #indexCells(): void {
    if (this.#cellStart !== undefined) return;
    const last = this.tables.objects.at(-1);
    const cells = last === undefined ? 0 : last.id + last.kind.info.length;
    const starts = new Uint32Array(cells + 2);
    for (const { cell, count } of this.chunks) {
      for (let i = 0; i < count; i++) (starts[(cell[i] as number) + 2] as number)++;
    }
    for (let c = 2; c < starts.length; c++) (starts[c] as number) += starts[c - 1] as number;
    this.#byCell = new Uint32Array(this.entries);
    for (const { first, cell, count } of this.chunks) {
      for (let i = 0; i < count; i++) {
        const next = (cell[i] as number) + 1;
        this.#byCell[starts[next] as number] = first + i;
        (starts[next] as number)++;
      }
    }
    this.#cellStart = starts;
  }
}

interface ReturnRange {
  readonly from: number;
  readonly to: number;
  /** The event before which the call returned (one past the last where it returned at the end). */
  readonly before: number;
  /** First event derived in the return phase. */
  readonly firstSub?: number;
}

interface HistoryParts {
  readonly chunks: readonly JournalChunk[];
  readonly tables: WholeTables;
  readonly checkpoints: readonly Checkpoint[];
  readonly starts: Uint32Array;
  readonly derived: Uint32Array;
  readonly returns: ReadonlyMap<number, ReturnRange>;
}

/** Number of values below `limit` in a sorted array. */
export function lowerBound(sorted: Uint32Array, limit: number): number {
  let lo = 0;
  let hi = sorted.length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if ((sorted[mid] as number) < limit) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/** Gathers a {@link History} while a replay runs. */
export class HistoryBuilder {
  readonly chunks: JournalChunk[] = [];
  readonly checkpoints: Checkpoint[] = [];
  readonly #starts: Uint32Array;
  readonly #derived: Uint32Array;
  readonly #returns = new Map<number, ReturnRange>();
  readonly #events: number;
  #current = 0;

  /** `before`: the history that this one goes on from. */
  constructor(events: number, before?: HistoryParts) {
    this.#events = events;
    this.#starts = new Uint32Array(events + 2);
    this.#derived = new Uint32Array(events + 1);
    if (before === undefined) return;
    this.chunks.push(...before.chunks);
    this.checkpoints.push(...before.checkpoints);
    this.#starts.set(before.starts);
    this.#derived.set(before.derived);
    for (const [seq, range] of before.returns) this.#returns.set(seq, range);
  }

  /** Event `seq` is about to be fed; the journal has `entries` entries. */
  start(seq: number, entries: number): void {
    this.#starts[seq] = entries;
    this.#current = seq;
  }

  observe(step: Step): void {
    const { seq, sub } = step.address;
    if (step.derived) this.#derived[seq] = Math.max(this.#derived[seq] ?? 0, sub);
    if (!step.returned) return;
    const { from, to, firstSub } = step;
    const before = this.#current;
    this.#returns.set(seq, { from, to, before, ...(firstSub === undefined ? {} : { firstSub }) });
  }

  build(tables: StoreTables): History {
    const last = this.chunks.at(-1);
    this.#starts[this.#events + 1] =
      last === undefined ? (this.#starts[this.#events] ?? 0) : last.first + last.count;
    return new History({
      chunks: this.chunks,
      tables: { ...tables, objects: tables.objects.slice(), blobs: tables.blobs.slice() },
      checkpoints: this.checkpoints,
      starts: this.#starts,
      derived: this.#derived,
      returns: this.#returns,
    });
  }
}
