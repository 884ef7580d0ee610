import { hexOf } from '../../abi/text.ts';
import type { History } from '../../replay/history.ts';
import { StateImage } from '../../replay/image.ts';
import { CellPaths } from '../../state/path.ts';
import type { SlotInfo } from '../../state/schema.ts';
import type { CellId, ObjectRow } from '../../state/store.ts';
import { sameValue, sharedPaths } from './cells.ts';
import type { Names } from './names.ts';

/** A cell that the machines have differently: its path in the first trace, or in the second where the first lacks it. */
export interface CellDifference {
  readonly path: string;
  readonly a: string | null;
  readonly b: string | null;
}

/** How much of a journal counts. */
export interface Standing {
  readonly offset: number;
  /** Events up to here are done. */
  readonly seq: number;
}

/** Event of the one trace that is the same as an event of the other, by position; 0: none. */
interface Partners {
  readonly inB: Uint32Array;
  readonly inA: Uint32Array;
}

/** Two replayed traces, compared cell by cell wherever they stand. */
export class MachinePair {
  readonly #a: Side;
  readonly #b: Side;
  readonly #names: Names;

  constructor(a: History, b: History, names: Names, { inA, inB }: Partners) {
    this.#names = names;
    this.#a = sideOf(a, sharedPaths(a.tables, names), inB);
    this.#b = sideOf(b, sharedPaths(b.tables, undefined), inA);
  }

  /**
   * The cells that differ. What differs because one actor is further in one of the traces than in the other is left out:
   * its write has its like in the other trace, and is still to come there.
   */
  differences(a: Standing, b: Standing): CellDifference[] {
    const [left, right] = [this.#a, this.#b];
    left.image.seekOffset(a.offset);
    right.image.seekOffset(b.offset);
    const found: CellDifference[] = [];
    for (const [path, row] of left.rows) this.#look(row, right.rows.get(path), a, b, found);
    for (const [path, row] of right.rows) if (!left.rows.has(path)) this.#look(undefined, row, a, b, found);
    return found;
  }

  #look(
    one: ObjectRow | undefined,
    other: ObjectRow | undefined,
    a: Standing,
    b: Standing,
    found: CellDifference[],
  ): void {
    const [left, right] = [this.#a, this.#b];
    const [hasA, hasB] = [has(left, one), has(right, other)];
    if (!hasA && !hasB) return;
    const slots = (one ?? other)?.kind.info ?? [];
    slots.forEach((slot, i) => {
      const [cellA, cellB] = [cellOf(one, i), cellOf(other, i)];
      const [valueA, valueB] = [cellValue(left, hasA, cellA, i), cellValue(right, hasB, cellB, i)];
      if (this.#isSame(slot, valueA, valueB, i)) return;
      if (cellA !== undefined && isSoon(left, cellA, a, b)) return;
      if (cellB !== undefined && isSoon(right, cellB, b, a)) return;
      const path = cellA === undefined ? right.paths.path(cellB as CellId) : left.paths.path(cellA);
      found.push({ path, a: textOf(valueA), b: textOf(valueB) });
    });
  }

  #isSame(slot: SlotInfo, x: Value, y: Value, i: number): boolean {
    if (x === undefined || y === undefined) return true;
    if (i === 0 || x === null || y === null) return x === y;
    return sameValue(slot, x, y, this.#names, (value, trace) => {
      const { blobs } = (trace === 0 ? this.#a : this.#b).history.tables;
      return blobs[Number(value) - 1] ?? new Uint8Array(0);
    });
  }
}

/** The last write of a cell has its like in the other trace, and it is still to come there. */
function isSoon({ history, partners }: Side, cell: CellId, here: Standing, there: Standing): boolean {
  const written = history.lastWrite(cell, here.offset);
  return written !== undefined && (partners[written.at.seq] ?? 0) > there.seq;
}

/** `null`: not known; undefined: there is no such cell. */
type Value = bigint | null | undefined;

interface Side {
  readonly history: History;
  readonly image: StateImage;
  readonly paths: CellPaths;
  /** Objects by the path that both traces share. */
  readonly rows: ReadonlyMap<string, ObjectRow>;
  readonly partners: Uint32Array;
}

function sideOf(history: History, rows: ReadonlyMap<string, ObjectRow>, partners: Uint32Array): Side {
  return {
    history,
    image: new StateImage(history),
    paths: new CellPaths(history.tables.objects),
    rows,
    partners,
  };
}

function has({ image }: Side, row: ObjectRow | undefined): boolean {
  return row !== undefined && image.exists(row);
}

function cellOf(row: ObjectRow | undefined, slot: number): CellId | undefined {
  return row === undefined ? undefined : ((row.id + slot) as CellId);
}

/** Of an object that is not there only that is told, not each of its cells. */
function cellValue({ image }: Side, exists: boolean, cell: CellId | undefined, slot: number): Value {
  if (slot === 0) return exists ? 1n : 0n;
  if (!exists || cell === undefined) return undefined;
  return image.known(cell) ? image.get(cell) : null;
}

function textOf(value: Value): string | null {
  return typeof value === 'bigint' ? hexOf(value) : null;
}
