import { hexOf } from '../../abi/text.ts';
import type { History } from '../../replay/history.ts';
import { StateImage } from '../../replay/image.ts';
import { CellPaths } from '../../state/path.ts';
import type { SlotInfo } from '../../state/schema.ts';
import type { CellId } from '../../state/store.ts';

/** A cell that two replays of a trace end with differently; null where it is not there, or not known. */
export interface StateDifference {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Holds the number of the event that made an object, which is another one in a changed trace. */
const EVENT_NUMBER = 'creator';

/** Cells in which the ends of two replays differ, in the order of their tables. */
export function endDifferences(before: History, after: History): StateDifference[] {
  const [a, b] = [cellsOf(before), cellsOf(after)];
  const found: StateDifference[] = [];
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const [was, is] = [a.get(path), b.get(path)];
    if (was?.text !== is?.text) found.push({ path, before: was?.shown ?? null, after: is?.shown ?? null });
  }
  return found;
}

interface Value {
  /** Equal for values that mean the same in both replays. */
  readonly text: string;
  readonly shown: string | null;
}

function cellsOf(history: History): Map<string, Value> {
  const image = new StateImage(history);
  image.seekOffset(history.entries);
  const paths = new CellPaths(history.tables.objects);
  const values = new Map<string, Value>();
  for (const row of history.tables.objects) {
    if (!image.exists(row)) continue;
    row.kind.info.forEach((slot, i) => {
      if (i === 0 || slot.path === EVENT_NUMBER) return;
      const cell = (row.id + i) as CellId;
      const value = image.get(cell);
      const shown = image.known(cell) ? hexOf(value) : null;
      values.set(paths.path(cell), { text: shown === null ? '?' : meant(history, slot, value), shown });
    });
  }
  return values;
}

/** Variable data is numbered as it comes: its bytes are compared. */
function meant(history: History, { hint }: SlotInfo, value: bigint): string {
  if (hint.as !== 'bytes' || value === 0n) return hexOf(value);
  return `${history.tables.blobs[Number(value) - 1] ?? ''}`;
}
