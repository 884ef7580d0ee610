import { highHalf, lowHalf } from '../abi/index.ts';
import type { Address } from '../trace/position.ts';
import { ByteTable } from './byte-table.ts';
import { CellPages } from './cells.ts';
import type { StoreCheckpoint, StoreTables } from './checkpoint.ts';
import { DoubtedPages } from './doubt.ts';
import { RunningHash } from './hash.ts';
import { HeardPages } from './heard.ts';
import {
  CREATED_KNOWN,
  JOURNAL_CHUNK_ENTRIES,
  type JournalChunk,
  type JournalSink,
  NOW_UNKNOWN,
  newChunk,
  OLD_UNKNOWN,
  reusedChunk,
} from './journal.ts';
import { ObjectIndex } from './object-index.ts';
import { ObjectTable } from './object-table.ts';
import type { ObjectKind } from './schema.ts';

/** Number of a cell in its store. */
export type CellId = number & { readonly __cell: unique symbol };
/** An object of a store: its first cell (the existence cell), from which its slots are counted. */
export type ObjectId = number & { readonly __object: unique symbol };
/** A number wherever it is exact, else a bigint, so that equal keys are the same Map key. */
export type Key = number | bigint;

/** The parent of the top-level objects (CPUs, partitions, processes, …). */
export const TOP = -1 as ObjectId;

/** Of a value of 64 bits. */
export function keyOf(value: bigint): Key {
  const high = highHalf(value);
  return high < 0x20_0000 ? high * 0x1_0000_0000 + lowHalf(value) : value;
}

/** One row of the allocation table: what a block of cells stands for. Rows are only ever appended. */
export interface ObjectRow {
  readonly id: ObjectId;
  readonly kind: ObjectKind;
  readonly parent: ObjectId;
  readonly key: Key;
}

/**
 * The cell store: all machine state, every write journalled. A block of cells is allocated once for each path
 * and kept, so that the history of `partition[2].vp[0].reg.rip` is one list however often the VP is created.
 */
export class CellStore {
  readonly #cells: CellPages;
  /** The same cells where the machine was up before its recording began. */
  readonly #doubted: DoubtedPages | undefined;
  /** Looks for what may be there unseen, and other reasons to doubt. */
  #otherDoubts = 0;
  readonly #objects = new ObjectTable();
  /** The rows of those that exist. */
  readonly #living = new Map<ObjectId, number>();
  readonly #index = new ObjectIndex();
  readonly #blobs = new ByteTable();
  readonly #components: string[] = [];
  readonly #componentIds = new Map<string, number>();
  #hash = new RunningHash();
  #chunk: JournalChunk;
  /** Entries of the chunk that the hash has: it takes them many at a time, which is cheaper than one by one. */
  #hashed = 0;
  /** Without one the journal is hashed and dropped. */
  readonly #sink: JournalSink | undefined;
  #seq = 0;
  #sub = 0;
  #writer = 'hypervisor';
  #component = 0;

  /**
   * `midLife`: the machine was up before its recording began, and reads of what is not known are counted. `read` hears
   * which cell is read: to ask what decided an answer, which a replay for its own sake does not pay for.
   */
  constructor(sink?: JournalSink, midLife = false, read?: (cell: number) => void) {
    const heard = read === undefined ? undefined : new HeardPages(read);
    this.#doubted = midLife ? (heard ?? new DoubtedPages()) : undefined;
    this.#cells = heard ?? this.#doubted ?? new CellPages();
    this.#sink = sink;
    this.#chunk = newChunk(0);
    this.#component = this.#componentId(this.#writer);
  }

  /** Number of journal entries so far. */
  get entries(): number {
    return this.#chunk.first + this.#chunk.count;
  }

  get tables(): StoreTables {
    return { objects: this.#objects, blobs: this.#blobs, components: this.#components };
  }

  /**
   * How often what is not known was read: a cell, or objects of which some may be there unseen. What was worked out
   * while this grew may be wrong.
   */
  get doubts(): number {
    return this.#otherDoubts + (this.#doubted?.doubts ?? 0);
  }

  /** What is worked out now hangs on something that the cells do not show. */
  doubt(): void {
    this.#otherDoubts++;
  }

  /** Names the writer of the writes that follow. */
  writer(address: Address, component: string): void {
    this.#seq = address.seq;
    this.#sub = address.sub;
    if (component === this.#writer) return;
    this.#writer = component;
    this.#component = this.#componentId(component);
  }

  get(cell: CellId): bigint {
    return this.#cells.get(cell);
  }

  /** Low 32 bits, for flags and small numbers on hot paths. */
  low(cell: CellId): number {
    return this.#cells.low(cell);
  }

  /** The 32 bits above them. */
  high(cell: CellId): number {
    return this.#cells.high(cell);
  }

  /** Value as a number; for cells that hold sizes, counts and indexes below 2^53. */
  number(cell: CellId): number {
    return this.#cells.high(cell) * 0x1_0000_0000 + this.#cells.low(cell);
  }

  known(cell: CellId): boolean {
    return this.#cells.known(cell);
  }

  /** Writes a cell and journals it; a write of the same value counts (it has a writer). */
  set(cell: CellId, value: bigint | number): void {
    if (typeof value === 'bigint') this.#write(cell, lowHalf(value), highHalf(value), 0);
    else this.#write(cell, value >>> 0, Math.floor(value / 0x1_0000_0000) >>> 0, 0);
  }

  /** The same, of a value in two words of 32 bits. */
  setWords(cell: CellId, low: number, high: number): void {
    this.#write(cell, low, high, 0);
  }

  #write(cell: CellId, low: number, high: number, flag: number): void {
    const chunk = this.#chunk;
    const i = chunk.count;
    const known = this.#cells.exchange(cell, low, high, chunk.oldWords, i);
    chunk.cell[i] = cell;
    chunk.nowWords[i * 2] = low;
    chunk.nowWords[i * 2 + 1] = high;
    chunk.seq[i] = this.#seq;
    chunk.sub[i] = this.#sub;
    chunk.component[i] = this.#component;
    chunk.flags[i] = known ? flag : flag | OLD_UNKNOWN;
    chunk.count = i + 1;
    if (chunk.count === JOURNAL_CHUNK_ENTRIES) this.flush();
  }

  /** Hands the current journal chunk to the sink. */
  flush(): void {
    if (this.#chunk.count === 0) return;
    const full = this.#chunk;
    this.#currentHash();
    this.#hashed = 0;
    if (this.#sink === undefined) {
      this.#chunk = reusedChunk(full);
      return;
    }
    this.#chunk = newChunk(full.first + full.count);
    this.#sink(full);
  }

  /** The hash with every entry so far in it. */
  #currentHash(): RunningHash {
    this.#hash.entries(this.#chunk, this.#hashed, this.#chunk.count);
    this.#hashed = this.#chunk.count;
    return this.#hash;
  }

  /** The object under `parent`, if it exists now. */
  find(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId | undefined {
    const row = this.#objects.find(parent, kind, key);
    if (row !== undefined) {
      const id = this.#objects.id(row);
      if (this.#cells.low(id) === 1) return id;
    }
    if (parent === TOP ? this.#doubted !== undefined : this.#mayHoldUnseen(parent)) this.#otherDoubts++;
    return undefined;
  }

  /** Whether an object is there that the recording has shown; others may be, where it began mid-life. */
  shows(parent: ObjectId, kind: ObjectKind, key: Key): boolean {
    const row = this.#objects.find(parent, kind, key);
    return row !== undefined && this.#living.has(this.#objects.id(row));
  }

  /**
   * Objects of a kind that exist now, in the order in which their paths first appeared (not in order of creation:
   * a restored store could not tell). The list stays as it is whatever is created and destroyed meanwhile.
   */
  children(parent: ObjectId, kind: ObjectKind): readonly ObjectId[] {
    if (parent !== TOP && this.#mayHoldUnseen(parent)) this.#otherDoubts++;
    return this.#index.living(parent, kind);
  }

  /** Something of the object is not known yet: it was there before the recording began, and so may be what is below it. */
  #mayHoldUnseen(id: ObjectId): boolean {
    return this.#doubted?.anyUnknown(id, this.#kind(id).info.length) ?? false;
  }

  /** The key of an object. */
  key(id: ObjectId): Key {
    return this.#objects.key(this.#row(id));
  }

  /** The object that it belongs to, {@link TOP} for a top-level one. */
  parent(id: ObjectId): ObjectId {
    return this.#objects.parent(this.#row(id));
  }

  /**
   * Creates an object: its existence cell becomes 1 and each cell takes its reset value (journalled where the
   * block does not hold it already).
   */
  create(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId {
    const row = this.#place(parent, kind, key);
    const again = this.#cells.known(this.#objects.id(row));
    const id = this.#exist(row, CREATED_KNOWN);
    const { resets, resetSlots, info } = kind;
    if (!again) {
      this.#cells.knowAll(id, info.length, 1);
      for (const slot of resetSlots) this.#reset((id + slot) as CellId, slot, resets);
      return id;
    }
    for (let slot = 1; slot < info.length; slot++) {
      const cell = (id + slot) as CellId;
      // In an object that exists again, a cell that was never known becomes so by an entry of its own.
      if (resets[slot * 2] !== 0 || resets[slot * 2 + 1] !== 0 || !this.known(cell))
        this.#reset(cell, slot, resets);
    }
    return id;
  }

  /** Adds an object that was there before the recording began: its cells are unknown until written. */
  createUnknown(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId {
    return this.#exist(this.#place(parent, kind, key), 0);
  }

  /** What the cell held is not known any more. */
  forget(cell: CellId): void {
    this.#write(cell, 0, 0, NOW_UNKNOWN);
    this.#cells.know(cell, 0);
  }

  /** The object is seen to begin anew: what is not known of it has its reset value. */
  settle(id: ObjectId): void {
    const { info, resets } = this.#kind(id);
    for (let slot = 1; slot < info.length; slot++)
      if (!this.known((id + slot) as CellId)) this.#reset((id + slot) as CellId, slot, resets);
  }

  /** Destroys an object and those below it; cells go back to zero so that nothing of it can be read again. */
  destroy(id: ObjectId): void {
    const row = this.#row(id);
    for (const kind of this.#objects.kindsBelow(row))
      for (const child of this.children(id, kind)) this.destroy(child);
    const kind = this.#objects.kind(row);
    this.#index.remove(this.#objects.parent(row), kind, id);
    this.#living.delete(id);
    const { length } = kind.info;
    for (let cell = this.#cells.lastSet(id, id + length); cell !== undefined; ) {
      this.setWords(cell as CellId, 0, 0);
      cell = this.#cells.lastSet(id, cell);
    }
    this.#cells.release(id, length);
  }

  /** Number of these bytes in the table of variable data; equal bytes have one number. 0 is no data. */
  intern(bytes: Uint8Array): number {
    const { number, isNew } = this.#blobs.number(bytes);
    if (isNew) this.#currentHash().bytes(bytes);
    return number;
  }

  /** The bytes of an interned number; empty for 0. */
  blob(id: number): Uint8Array {
    return (id === 0 ? undefined : this.#blobs.at(id - 1)) ?? new Uint8Array(0);
  }

  /** Hash over every journal entry so far, 16 hex digits. */
  hash(): string {
    return this.#currentHash().digest();
  }

  /** A copy of everything needed to continue from here (with {@link tables}). */
  checkpoint(): StoreCheckpoint {
    const blocks = this.#blocks();
    return {
      cells: this.#cells.size,
      blocks,
      values: this.#cells.read(blocks),
      unknown: this.#cells.unknown(),
      objects: this.#objects.length,
      blobs: this.#blobs.length,
      components: this.#components.length,
      entries: this.entries,
      hash: this.#currentHash().state(),
    };
  }

  /** A store that continues from a checkpoint of another. */
  static restore(
    checkpoint: StoreCheckpoint,
    tables: StoreTables,
    sink?: JournalSink,
    midLife = false,
    read?: (cell: number) => void,
  ): CellStore {
    const store = new CellStore(sink, midLife, read);
    for (const name of tables.components.slice(0, checkpoint.components)) store.#componentId(name);
    for (const bytes of tables.blobs.slice(0, checkpoint.blobs)) store.intern(bytes);
    for (const row of tables.objects.slice(0, checkpoint.objects))
      store.#place(row.parent, row.kind, row.key);
    store.#cells.load(checkpoint);
    for (let row = 0; row < store.#objects.length; row++)
      if (store.#cells.low(store.#objects.id(row)) === 1) store.#enlist(row);
    store.#hash = new RunningHash(checkpoint.hash);
    store.#chunk = newChunk(checkpoint.entries);
    return store;
  }

  #reset(cell: CellId, slot: number, resets: Uint32Array): void {
    this.setWords(cell, resets[slot * 2] as number, resets[slot * 2 + 1] as number);
  }

  /** First cell and length of each object that exists, in order. */
  #blocks(): Uint32Array {
    const ids = [...this.#living.keys()].sort((a, b) => a - b);
    const blocks = new Uint32Array(ids.length * 2);
    for (const [i, id] of ids.entries()) {
      blocks[i * 2] = id;
      blocks[i * 2 + 1] = this.#kind(id).info.length;
    }
    return blocks;
  }

  #exist(row: number, flag: number): ObjectId {
    const id = this.#objects.id(row);
    const kind = this.#objects.kind(row);
    if (this.#living.has(id)) throw new Error(`${kind.name}[${this.#objects.key(row)}] exists already`);
    this.#write(id as number as CellId, 1, 0, flag);
    this.#cells.hold(id, kind.info.length);
    this.#enlist(row);
    return id;
  }

  /** The object of a row exists from now on. */
  #enlist(row: number): void {
    const id = this.#objects.id(row);
    this.#living.set(id, row);
    this.#index.add(this.#objects.parent(row), this.#objects.kind(row), id);
  }

  #componentId(name: string): number {
    const known = this.#componentIds.get(name);
    if (known !== undefined) return known;
    this.#componentIds.set(name, this.#components.length);
    return this.#components.push(name) - 1;
  }

  #row(id: ObjectId): number {
    return this.#living.get(id) ?? this.#objects.rowOf(id);
  }

  #kind(id: ObjectId): ObjectKind {
    return this.#objects.kind(this.#row(id));
  }

  /** The row of a path, whose block of cells is allocated at its first use. */
  #place(parent: ObjectId, kind: ObjectKind, key: Key): number {
    const known = this.#objects.find(parent, kind, key);
    if (known !== undefined) return known;
    const row = this.#objects.add(this.#cells.grow(kind.info.length) as ObjectId, parent, kind, key);
    const hash = this.#currentHash();
    hash.word(parent);
    const name = `${kind.name}[${key}]`;
    for (let i = 0; i < name.length; i++) hash.word(name.charCodeAt(i));
    return row;
  }
}
