import { fillImage } from '../state/checkpoint.ts';
import { CREATED_KNOWN, type JournalChunk, OLD_UNKNOWN } from '../state/journal.ts';
import type { CellId, ObjectRow } from '../state/store.ts';
import { type Address, ORIGIN } from '../trace/position.ts';
import type { Checkpoint, History } from './history.ts';

/**
 * The state at one position, moved by applying journal entries forwards or backwards (never by executing). A
 * jump starts from the nearest checkpoint when that is closer than where the image stands.
 */
export class StateImage {
  readonly #history: History;
  readonly #values: BigUint64Array;
  readonly #known: Uint8Array;
  /** By first cell of an object: how many it has; 0 for all other cells. */
  readonly #lengths: Uint32Array;
  /** First cells of the objects that exist: only their cells can be other than 0. */
  readonly #living = new Set<number>();
  #offset = 0;

  constructor(history: History) {
    this.#history = history;
    const last = history.tables.objects.at(-1);
    const cells = last === undefined ? 0 : last.id + last.kind.info.length;
    this.#values = new BigUint64Array(cells);
    this.#known = new Uint8Array(cells);
    this.#lengths = new Uint32Array(cells);
    for (const { id, kind } of history.tables.objects) this.#lengths[id] = kind.info.length;
    this.seek(ORIGIN);
  }

  /** Journal length at the image's position. */
  get offset(): number {
    return this.#offset;
  }

  seek(address: Address): void {
    this.seekOffset(this.#history.offset(address));
  }

  seekOffset(target: number): void {
    const near = this.#nearest(target);
    if (near !== undefined && target - near.store.entries < Math.abs(target - this.#offset)) this.#jump(near);
    while (this.#offset < target) this.#forward(target);
    while (this.#offset > target) this.#backward(target);
  }

  get(cell: CellId): bigint {
    return this.#values[cell] as bigint;
  }

  known(cell: CellId): boolean {
    return this.#known[cell] === 1;
  }

  /** Whether an object of the allocation table exists at this position. */
  exists(row: ObjectRow): boolean {
    return this.#values[row.id] === 1n;
  }

  /** The last checkpoint at or before a journal length. */
  #nearest(target: number): Checkpoint | undefined {
    const { checkpoints } = this.#history;
    let lo = -1;
    let hi = checkpoints.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if ((checkpoints[mid] as Checkpoint).store.entries <= target) lo = mid;
      else hi = mid - 1;
    }
    return checkpoints[lo];
  }

  #jump({ store }: Checkpoint): void {
    for (const id of this.#living) this.#values.fill(0n, id, id + (this.#lengths[id] as number));
    this.#living.clear();
    for (let i = 0; i < store.blocks.length; i += 2) this.#living.add(store.blocks[i] as number);
    fillImage(store, this.#values, this.#known);
    this.#offset = store.entries;
  }

  #forward(target: number): void {
    const chunk = this.#history.chunkOf(this.#offset);
    const end = Math.min(target - chunk.first, chunk.count);
    for (let i = this.#offset - chunk.first; i < end; i++) {
      const cell = chunk.cell[i] as number;
      this.#set(cell, chunk.now[i] as bigint);
      this.#known[cell] = 1;
      if (((chunk.flags[i] as number) & CREATED_KNOWN) !== 0) this.#mark(cell, 1);
    }
    this.#offset = chunk.first + end;
  }

  #backward(target: number): void {
    const chunk: JournalChunk = this.#history.chunkOf(this.#offset - 1);
    const end = Math.max(target - chunk.first, 0);
    for (let i = this.#offset - 1 - chunk.first; i >= end; i--) {
      const cell = chunk.cell[i] as number;
      const flags = chunk.flags[i] as number;
      // What exists again was known before it: only the first creation makes cells known that were not.
      if ((flags & CREATED_KNOWN) !== 0 && (flags & OLD_UNKNOWN) !== 0) this.#mark(cell, 0);
      this.#set(cell, chunk.old[i] as bigint);
      this.#known[cell] = (flags & OLD_UNKNOWN) === 0 ? 1 : 0;
    }
    this.#offset = chunk.first + end;
  }

  #set(cell: number, value: bigint): void {
    this.#values[cell] = value;
    if (this.#lengths[cell] === 0) return;
    if (value === 1n) this.#living.add(cell);
    else this.#living.delete(cell);
  }

  #mark(cell: number, known: 0 | 1): void {
    this.#known.fill(known, cell, cell + (this.#lengths[cell] as number));
  }
}
