import type { Address } from '../trace/position.ts';
import { type HashState, RunningHash } from './hash.ts';
import {
  CREATED_KNOWN,
  JOURNAL_CHUNK_ENTRIES,
  type JournalChunk,
  type JournalSink,
  newChunk,
  OLD_UNKNOWN,
} from './journal.ts';
import type { ObjectKind, SlotInfo } from './schema.ts';

/** Number of a cell in its store. */
export type CellId = number & { readonly __cell: unique symbol };
/** An object of a store: its first cell (the existence cell), from which its slots are counted. */
export type ObjectId = number & { readonly __object: unique symbol };
/** A number wherever it is exact, else a bigint, so that equal keys are the same Map key. */
export type Key = number | bigint;

/** The parent of the top-level objects (CPUs, partitions, processes, …). */
export const TOP = -1 as ObjectId;

export function keyOf(value: bigint): Key {
  return value <= 0x1f_ffff_ffff_ffffn ? Number(value) : value;
}

/** One row of the allocation table: what a block of cells stands for. Rows are only ever appended. */
export interface ObjectRow {
  readonly id: ObjectId;
  readonly kind: ObjectKind;
  readonly parent: ObjectId;
  readonly key: Key;
}

/** Objects of one kind below one parent. */
interface Family {
  /** By key, every path that ever had cells. */
  readonly placed: Map<Key, ObjectId>;
  /** By key, those that exist now. */
  readonly living: Map<Key, ObjectId>;
}

/**
 * Everything needed to continue a store from a point: values, knownness, and how far the tables had grown. Only
 * what exists has values: a machine that made and destroyed a million objects has no larger checkpoints than
 * another.
 */
export interface StoreCheckpoint {
  /** Cells allocated so far. */
  readonly cells: number;
  /** First cell and length of each object that exists, in order. All other cells are 0. */
  readonly blocks: Uint32Array;
  /** The values of these blocks, one block after the other. */
  readonly values: BigUint64Array;
  /** First cell and length of each run of cells that are not known. */
  readonly unknown: Uint32Array;
  readonly objects: number;
  readonly blobs: number;
  readonly components: number;
  readonly entries: number;
  readonly hash: HashState;
}

/** The append-only tables that checkpoints of one store share. */
export interface StoreTables {
  readonly objects: readonly ObjectRow[];
  readonly blobs: readonly Uint8Array[];
  readonly components: readonly string[];
}

/**
 * The cell store: all machine state, every write journalled. A block of cells is allocated once for each path
 * and kept, so that the history of `partition[2].vp[0].reg.rip` is one list however often the VP is created.
 */
export class CellStore {
  #values = new BigUint64Array(1024);
  #words = new Uint32Array(this.#values.buffer);
  #known = new Uint8Array(1024);
  #size = 0;
  readonly #objects: ObjectRow[] = [];
  /** By parent (TOP = -1) and kind. */
  readonly #index = new Map<ObjectId, Map<ObjectKind, Family>>();
  readonly #rowOf = new Map<ObjectId, ObjectRow>();
  readonly #blobs: Uint8Array[] = [];
  readonly #blobIds = new Map<string, number>();
  readonly #components: string[] = [];
  readonly #componentIds = new Map<string, number>();
  #hash = new RunningHash();
  #chunk: JournalChunk;
  #sink: JournalSink;
  #seq = 0;
  #sub = 0;
  #component = 0;

  constructor(sink: JournalSink = () => {}) {
    this.#sink = sink;
    this.#chunk = newChunk(0);
    this.#component = this.#componentId('hypervisor');
  }

  /** Number of journal entries so far. */
  get entries(): number {
    return this.#chunk.first + this.#chunk.count;
  }

  get tables(): StoreTables {
    return { objects: this.#objects, blobs: this.#blobs, components: this.#components };
  }

  /** Names the writer of the writes that follow. */
  writer(address: Address, component: string): void {
    this.#seq = address.seq;
    this.#sub = address.sub;
    this.#component = this.#componentId(component);
  }

  get(cell: CellId): bigint {
    return this.#values[cell] as bigint;
  }

  /** Low 32 bits, for flags and small numbers on hot paths. */
  low(cell: CellId): number {
    return this.#words[cell * 2] as number;
  }

  /** Value as a number; for cells that hold sizes, counts and indexes below 2^53. */
  number(cell: CellId): number {
    return (this.#words[cell * 2 + 1] as number) * 0x1_0000_0000 + (this.#words[cell * 2] as number);
  }

  known(cell: CellId): boolean {
    return this.#known[cell] === 1;
  }

  /** Writes a cell and journals it; a write of the same value counts (it has a writer). */
  set(cell: CellId, value: bigint | number): void {
    this.#write(cell, value, 0);
  }

  #write(cell: CellId, value: bigint | number, flag: number): void {
    const chunk = this.#chunk;
    const i = chunk.count;
    const words = this.#words;
    const lo = cell * 2;
    const oldLo = words[lo] as number;
    const oldHi = words[lo + 1] as number;
    chunk.old[i] = this.#values[cell] as bigint;
    if (typeof value === 'bigint') {
      this.#values[cell] = value;
    } else {
      words[lo] = value >>> 0;
      words[lo + 1] = Math.floor(value / 0x1_0000_0000) >>> 0;
    }
    chunk.now[i] = this.#values[cell] as bigint;
    chunk.cell[i] = cell;
    chunk.seq[i] = this.#seq;
    chunk.sub[i] = this.#sub;
    chunk.component[i] = this.#component;
    chunk.flags[i] = flag | (this.#known[cell] === 1 ? 0 : OLD_UNKNOWN);
    this.#known[cell] = 1;
    const hash = this.#hash;
    hash.word(cell);
    hash.word(oldLo);
    hash.word(oldHi);
    hash.word(words[lo] as number);
    hash.word(words[lo + 1] as number);
    hash.word(this.#seq);
    hash.word(this.#sub);
    chunk.count = i + 1;
    if (chunk.count === JOURNAL_CHUNK_ENTRIES) this.flush();
  }

  /** Hands the current journal chunk to the sink. */
  flush(): void {
    if (this.#chunk.count === 0) return;
    const full = this.#chunk;
    this.#chunk = newChunk(full.first + full.count);
    this.#sink(full);
  }

  /** The object under `parent`, if it exists now. */
  find(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId | undefined {
    return this.#index.get(parent)?.get(kind)?.living.get(key);
  }

  /** Objects of a kind that exist now, in the order in which their paths first appeared. */
  children(parent: ObjectId, kind: ObjectKind): ObjectId[] {
    const living = this.#index.get(parent)?.get(kind)?.living;
    // Not in order of creation: a restored store could not tell.
    return living === undefined ? [] : [...living.values()].sort((a, b) => a - b);
  }

  /** The key of an object. */
  key(id: ObjectId): Key {
    return this.#row(id).key;
  }

  /** The object that it belongs to, {@link TOP} for a top-level one. */
  parent(id: ObjectId): ObjectId {
    return this.#row(id).parent;
  }

  /**
   * Creates an object: its existence cell becomes 1 and each cell takes its reset value (journalled where the
   * block does not hold it already).
   */
  create(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId {
    const again = this.#known[this.#place(parent, kind, key)] === 1;
    const id = this.#exist(parent, kind, key, CREATED_KNOWN);
    if (!again) this.#known.fill(1, id, id + kind.info.length);
    for (let slot = 1; slot < kind.info.length; slot++) {
      const cell = (id + slot) as CellId;
      const { reset } = kind.info[slot] as SlotInfo;
      // In an object that exists again, a cell that was never known becomes so by an entry of its own.
      if (this.#values[cell] !== reset || this.#known[cell] === 0) this.set(cell, reset);
    }
    return id;
  }

  /** Adds an object that was there before the recording began: its cells are unknown until written. */
  createUnknown(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId {
    return this.#exist(parent, kind, key, 0);
  }

  /** Destroys an object and those below it; cells go back to zero so that nothing of it can be read again. */
  destroy(id: ObjectId): void {
    const families = this.#index.get(id);
    if (families !== undefined) {
      for (const kind of families.keys()) for (const child of this.children(id, kind)) this.destroy(child);
    }
    const { kind, parent, key } = this.#row(id);
    this.#index.get(parent)?.get(kind)?.living.delete(key);
    for (let slot = kind.info.length - 1; slot >= 0; slot--) {
      const cell = (id + slot) as CellId;
      if (this.#values[cell] !== 0n) this.set(cell, 0n);
    }
  }

  /** Number of these bytes in the table of variable data; equal bytes have one number. 0 is no data. */
  intern(bytes: Uint8Array): number {
    let text = '';
    for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
    const known = this.#blobIds.get(text);
    if (known !== undefined) return known;
    this.#blobs.push(bytes.slice());
    this.#blobIds.set(text, this.#blobs.length);
    this.#hash.bytes(bytes);
    return this.#blobs.length;
  }

  /** The bytes of an interned number; empty for 0. */
  blob(id: number): Uint8Array {
    return this.#blobs[id - 1] ?? new Uint8Array(0);
  }

  /** Hash over every journal entry so far, 16 hex digits. */
  hash(): string {
    return this.#hash.digest();
  }

  /** A copy of everything needed to continue from here (with {@link tables}). */
  checkpoint(): StoreCheckpoint {
    const { blocks, values } = this.#living();
    return {
      cells: this.#size,
      blocks,
      values,
      unknown: runsOfZero(this.#known.subarray(0, this.#size)),
      objects: this.#objects.length,
      blobs: this.#blobs.length,
      components: this.#components.length,
      entries: this.entries,
      hash: this.#hash.state(),
    };
  }

  /** A store that continues from a checkpoint of another. */
  static restore(checkpoint: StoreCheckpoint, tables: StoreTables, sink: JournalSink = () => {}): CellStore {
    const store = new CellStore(sink);
    for (const name of tables.components.slice(0, checkpoint.components)) store.#componentId(name);
    for (const bytes of tables.blobs.slice(0, checkpoint.blobs)) store.intern(bytes);
    for (const row of tables.objects.slice(0, checkpoint.objects))
      store.#place(row.parent, row.kind, row.key);
    fillImage(checkpoint, store.#values, store.#known);
    for (const { id, parent, kind, key } of store.#objects) {
      if (store.#words[id * 2] === 1) store.#index.get(parent)?.get(kind)?.living.set(key, id);
    }
    store.#hash = new RunningHash(checkpoint.hash);
    store.#chunk = newChunk(checkpoint.entries);
    return store;
  }

  /** What exists, as a checkpoint has it. */
  #living(): { readonly blocks: Uint32Array; readonly values: BigUint64Array } {
    const blocks: number[] = [];
    let count = 0;
    for (const { id, kind } of this.#objects) {
      if (this.#words[id * 2] !== 1) continue;
      blocks.push(id, kind.info.length);
      count += kind.info.length;
    }
    const values = new BigUint64Array(count);
    for (let i = 0, from = 0; i < blocks.length; i += 2) {
      const [id, length] = [blocks[i] as number, blocks[i + 1] as number];
      values.set(this.#values.subarray(id, id + length), from);
      from += length;
    }
    return { blocks: Uint32Array.from(blocks), values };
  }

  #exist(parent: ObjectId, kind: ObjectKind, key: Key, flag: number): ObjectId {
    const id = this.#place(parent, kind, key);
    if (this.#words[id * 2] === 1) throw new Error(`${kind.name}[${key}] exists already`);
    this.#write(id as number as CellId, 1n, flag);
    this.#index.get(parent)?.get(kind)?.living.set(key, id);
    return id;
  }

  #componentId(name: string): number {
    const known = this.#componentIds.get(name);
    if (known !== undefined) return known;
    this.#componentIds.set(name, this.#components.length);
    return this.#components.push(name) - 1;
  }

  #row(id: ObjectId): ObjectRow {
    const row = this.#rowOf.get(id);
    if (row === undefined) throw new Error(`no object ${id}`);
    return row;
  }

  /** The block of cells for a path, allocated at its first use. */
  #place(parent: ObjectId, kind: ObjectKind, key: Key): ObjectId {
    const families = this.#index.get(parent) ?? new Map<ObjectKind, Family>();
    const family = families.get(kind) ?? {
      placed: new Map<Key, ObjectId>(),
      living: new Map<Key, ObjectId>(),
    };
    this.#index.set(parent, families.set(kind, family));
    const known = family.placed.get(key);
    if (known !== undefined) return known;
    const id = this.#size as ObjectId;
    this.#grow(kind.info.length);
    const row: ObjectRow = { id, kind, parent, key };
    family.placed.set(key, id);
    this.#objects.push(row);
    this.#rowOf.set(id, row);
    this.#hash.word(parent);
    const name = `${kind.name}[${key}]`;
    for (let i = 0; i < name.length; i++) this.#hash.word(name.charCodeAt(i));
    return id;
  }

  #grow(by: number): void {
    this.#size += by;
    if (this.#size <= this.#values.length) return;
    const capacity = Math.max(this.#size, this.#values.length * 2);
    const values = new BigUint64Array(capacity);
    values.set(this.#values);
    const known = new Uint8Array(capacity);
    known.set(this.#known);
    this.#values = values;
    this.#words = new Uint32Array(values.buffer);
    this.#known = known;
  }
}

/** First index and length of each run of zeros. */
function runsOfZero(bytes: Uint8Array): Uint32Array {
  const runs: number[] = [];
  for (let from = bytes.indexOf(0); from >= 0; ) {
    const next = bytes.indexOf(1, from);
    const to = next < 0 ? bytes.length : next;
    runs.push(from, to - from);
    from = bytes.indexOf(0, to);
  }
  return Uint32Array.from(runs);
}

/** Puts the state of a checkpoint into arrays over all cells; where nothing exists `values` must be 0 already. */
export function fillImage(checkpoint: StoreCheckpoint, values: BigUint64Array, known: Uint8Array): void {
  const { cells, blocks, unknown } = checkpoint;
  for (let i = 0, from = 0; i < blocks.length; i += 2) {
    const length = blocks[i + 1] as number;
    values.set(checkpoint.values.subarray(from, from + length), blocks[i] as number);
    from += length;
  }
  known.fill(1, 0, cells);
  known.fill(0, cells);
  for (let i = 0; i < unknown.length; i += 2) {
    const from = unknown[i] as number;
    known.fill(0, from, from + (unknown[i + 1] as number));
  }
}
