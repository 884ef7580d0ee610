import { hexOf } from '../../abi/text.ts';
import type { History } from '../../replay/history.ts';
import { StateImage } from '../../replay/image.ts';
import { CellPaths } from '../../state/path.ts';
import type { SlotInfo } from '../../state/schema.ts';
import type { CellId, ObjectRow } from '../../state/store.ts';
import type { Alignment } from './align.ts';
import { sameValue, sharedPaths } from './cells.ts';

/** A cell that the machines have differently: its path in the first trace, or in the second where the first lacks it. */
export interface CellDifference {
  readonly path: string;
  readonly a: string | null;
  readonly b: string | null;
}

/** A replayed trace, and how much of its journal counts. */
export interface Standing {
  readonly history: History;
  readonly offset: number;
  /** Events up to here are done. */
  readonly seq: number;
}

/**
 * Compares two machines cell by cell. What differs because one actor is further in one of the traces than in the other is
 * left out: its write has its like in the other trace, and is still to come there.
 */
export function compareStates(a: Standing, b: Standing, { comparer, inA, inB }: Alignment): CellDifference[] {
  const [left, right] = [sideOf(a), sideOf(b)];
  const rowsB = sharedPaths(b.history.tables, undefined);
  const rowsA = sharedPaths(a.history.tables, comparer.names);
  const found: CellDifference[] = [];
  const bytes = (value: bigint, trace: 0 | 1): Uint8Array =>
    (trace === 0 ? a : b).history.tables.blobs[Number(value) - 1] ?? new Uint8Array(0);
  const soon = (side: Side, cell: CellId, partners: Uint32Array, there: Standing): boolean => {
    const written = side.history.lastWrite(cell, side.offset);
    return written !== undefined && (partners[written.at.seq] ?? 0) > there.seq;
  };
  const look = (one: ObjectRow | undefined, other: ObjectRow | undefined): void => {
    const [hasA, hasB] = [has(left, one), has(right, other)];
    const slots = (one ?? other)?.kind.info ?? [];
    slots.forEach((slot, i) => {
      const [cellA, cellB] = [cellOf(one, i), cellOf(other, i)];
      const [valueA, valueB] = [cellValue(left, hasA, cellA, i), cellValue(right, hasB, cellB, i)];
      if (isSame(slot, valueA, valueB, i)) return;
      if (cellA !== undefined && soon(left, cellA, inB, b)) return;
      if (cellB !== undefined && soon(right, cellB, inA, a)) return;
      const path = cellA === undefined ? right.paths.path(cellB as CellId) : left.paths.path(cellA);
      found.push({ path, a: textOf(valueA), b: textOf(valueB) });
    });
  };
  const isSame = (slot: SlotInfo, x: Value, y: Value, i: number): boolean => {
    if (x === undefined || y === undefined) return true;
    if (i === 0 || x === null || y === null) return x === y;
    return sameValue(slot, x, y, comparer.names, bytes);
  };
  for (const [path, row] of rowsA) look(row, rowsB.get(path));
  for (const [path, row] of rowsB) if (!rowsA.has(path)) look(undefined, row);
  return found;
}

/** `null`: not known; undefined: there is no such cell. */
type Value = bigint | null | undefined;

interface Side extends Standing {
  readonly image: StateImage;
  readonly paths: CellPaths;
}

function sideOf(standing: Standing): Side {
  const image = new StateImage(standing.history);
  image.seekOffset(standing.offset);
  return { ...standing, image, paths: new CellPaths(standing.history.tables.objects) };
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
