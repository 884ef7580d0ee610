import { CellPages } from '../state/cells.ts';
import { CREATED_KNOWN, NOW_UNKNOWN, OLD_UNKNOWN } from '../state/journal.ts';
import type { CellId, ObjectRow } from '../state/store.ts';
import { type Address, ORIGIN } from '../trace/position.ts';
import type { Checkpoint, History } from './history.ts';

/**
 * The state at one position, moved by applying journal entries forwards or backwards (never by executing). A
 * jump starts from the nearest checkpoint when that is closer than where the image stands.
 */
export class StateImage {
  readonly #history: History;
  readonly #cells = new CellPages();
  /** Number of cells of each object, by the first of them. */
  readonly #lengths = new Map<number, number>();
  #offset = 0;

  constructor(history: History) {
    this.#history = history;
    for (const { kind } of history.tables.objects) {
      const { length } = kind.info;
      this.#lengths.set(this.#cells.grow(length), length);
    }
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
    if (near !== undefined && distance(near, target) < Math.abs(target - this.#offset)) this.#jump(near);
    while (this.#offset < target) this.#forward(target);
    while (this.#offset > target) this.#backward(target);
  }

  get(cell: CellId): bigint {
    return this.#cells.get(cell);
  }

  known(cell: CellId): boolean {
    return this.#cells.known(cell);
  }

  /** Whether an object of the allocation table exists at this position. */
  exists(row: ObjectRow): boolean {
    return this.#cells.low(row.id) === 1;
  }

  /** The checkpoint that is nearest to a journal length, before or behind it. */
  #nearest(target: number): Checkpoint | undefined {
    const { checkpoints } = this.#history;
    let lo = -1;
    let hi = checkpoints.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if ((checkpoints[mid] as Checkpoint).store.entries <= target) lo = mid;
      else hi = mid - 1;
    }
    const [before, behind] = [checkpoints[lo], checkpoints[lo + 1]];
    if (before === undefined || behind === undefined) return before ?? behind;
    return distance(before, target) <= distance(behind, target) ? before : behind;
  }

  #jump({ store }: Checkpoint): void {
    this.#cells.load(store);
    this.#offset = store.entries;
  }

  #forward(target: number): void {
    const cells = this.#cells;
    const { first, count, cell, nowWords, flags } = this.#history.chunkOf(this.#offset);
    const end = Math.min(target - first, count);
    for (let i = this.#offset - first; i < end; i++) {
      const id = cell[i] as number;
      cells.set(id, nowWords[i * 2] as number, nowWords[i * 2 + 1] as number);
      const flag = flags[i] as number;
      if ((flag & OLD_UNKNOWN) !== 0) cells.know(id, 1);
      if ((flag & CREATED_KNOWN) !== 0) this.#mark(id, 1);
      if ((flag & NOW_UNKNOWN) !== 0) cells.know(id, 0);
    }
    this.#offset = first + end;
  }

  #backward(target: number): void {
    const cells = this.#cells;
    const { first, cell, oldWords, flags } = this.#history.chunkOf(this.#offset - 1);
    const end = Math.max(target - first, 0);
    for (let i = this.#offset - 1 - first; i >= end; i--) {
      const id = cell[i] as number;
      const flag = flags[i] as number;
      // What exists again was known before it: only the first creation makes cells known that were not.
      if ((flag & CREATED_KNOWN) !== 0 && (flag & OLD_UNKNOWN) !== 0) this.#mark(id, 0);
      cells.set(id, oldWords[i * 2] as number, oldWords[i * 2 + 1] as number);
      if ((flag & OLD_UNKNOWN) !== 0) cells.know(id, 0);
      else if ((flag & NOW_UNKNOWN) !== 0) cells.know(id, 1);
    }
    this.#offset = first + end;
  }

  /** All cells of the object that begins with `first`. */
  #mark(first: number, known: 0 | 1): void {
    this.#cells.knowAll(first, this.#lengths.get(first) ?? 0, known);
  }
}

/** Entries of the journal between a checkpoint and a journal length. */
function distance({ store }: Checkpoint, target: number): number {
  return Math.abs(target - store.entries);
}
