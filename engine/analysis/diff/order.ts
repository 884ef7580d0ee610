import type { History } from '../../replay/history.ts';
import { CellPaths } from '../../state/path.ts';
import type { CellId } from '../../state/store.ts';
import type { Alignment } from './align.ts';
import { sameValue, sharedPaths } from './cells.ts';

/** Two actors wrote one cell in another order than in the other trace, and left other values. */
export interface Conflict {
  readonly a: number;
  readonly b: number;
  readonly path: string;
}

/** Whether the events of the first trace stand in another order in the second. */
export function isReordered({ inB }: Alignment): boolean {
  let last = 0;
  for (let seq = 1; seq < inB.length; seq++) {
    const there = inB[seq] as number;
    if (there === 0) continue;
    if (there < last) return true;
    last = there;
  }
  return false;
}

/** One write of a cell: by which event, numbered as in the second trace, and what it left. */
interface Writes {
  readonly by: number[];
  readonly values: bigint[];
}

/**
 * The first event that came to a cell out of turn. Actors that touch different cells are independent, whichever comes
 * first (Mazurkiewicz's traces): only where the writes of one cell by events of both traces come in another order and leave
 * other values does the order count.
 */
export function firstConflict(a: History, b: History, alignment: Alignment): Conflict | undefined {
  const { names } = alignment.comparer;
  const paths = new CellPaths(a.tables.objects);
  const rowsA = sharedPaths(a.tables, names);
  const rowsB = sharedPaths(b.tables, undefined);
  const writesA = writesOf(a, alignment.inB);
  const writesB = writesOf(b, undefined);
  let first: Conflict | undefined;
  const noBytes = (value: bigint, trace: 0 | 1): Uint8Array =>
    (trace === 0 ? a : b).tables.blobs[Number(value) - 1] ?? new Uint8Array(0);
  for (const [path, row] of rowsA) {
    const other = rowsB.get(path);
    if (other === undefined) continue;
    row.kind.info.forEach((slot, i) => {
      const [one, two] = [writesA.get(row.id + i), writesB.get(other.id + i)];
      if (one === undefined || two === undefined) return;
      const most = Math.min(one.by.length, two.by.length);
      for (let k = 0; k < most; k++) {
        if (one.by[k] === two.by[k]) continue;
        if (sameValue(slot, one.values[k] as bigint, two.values[k] as bigint, names, noBytes)) continue;
        const at = alignment.inA[one.by[k] as number] as number;
        if (first === undefined || at < first.a)
          first = { a: at, b: two.by[k] as number, path: paths.path((row.id + i) as CellId) };
        return;
      }
    });
  }
  return first;
}

/** The writes of each cell by events that both traces have. */
function writesOf({ chunks }: History, inB: Uint32Array | undefined): ReadonlyMap<number, Writes> {
  const writes = new Map<number, Writes>();
  for (const { count, cell, seq, now } of chunks) {
    for (let i = 0; i < count; i++) {
      const by = inB === undefined ? (seq[i] as number) : (inB[seq[i] as number] ?? 0);
      if (by === 0) continue;
      let of = writes.get(cell[i] as number);
      if (of === undefined) {
        of = { by: [], values: [] };
        writes.set(cell[i] as number, of);
      }
      of.by.push(by);
      of.values.push(now[i] as bigint);
    }
  }
  return writes;
}
