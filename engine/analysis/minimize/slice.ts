import type { Sides } from '../../machine/machine.ts';
import { replayWithHistory } from '../../replay/replay.ts';
import type { EventSource } from '../../replay/source.ts';
import { type ObjectRow, TOP } from '../../state/store.ts';
import { check } from '../check.ts';
import type { Target } from './target.ts';

/**
 * Stimuli on which a target may hang: those that prove it, those that wrote a cell before one of them did, and those that
 * made the objects in which these cells stand. What a rule or an answer merely reads is not journalled, so that the slice
 * may be too small: whoever takes it must look whether the target is still there.
 */
export function sliceOf(
  source: EventSource,
  sides: Sides,
  target: Target,
  rootOf: (seq: number) => number,
): ReadonlySet<number> {
  const { history } = replayWithHistory(source, sides);
  const writers = new Map<number, number[]>();
  const cellsOf = new Map<number, Set<number>>();
  for (const { count, cell, seq } of history.chunks) {
    for (let i = 0; i < count; i++) {
      const root = rootOf(seq[i] as number);
      if (root === 0) continue;
      const [of, roots] = [cell[i] as number, writers.get(cell[i] as number) ?? []];
      if (roots.at(-1) !== root) roots.push(root);
      writers.set(of, roots);
      const own = cellsOf.get(root) ?? new Set();
      cellsOf.set(root, own.add(of));
    }
  }
  const makers = makersOf(history.tables.objects);
  const slice = new Set<number>();
  const left = startsOf(source, sides, target).map(rootOf);
  for (let root = left.pop(); root !== undefined; root = left.pop()) {
    if (root === 0 || slice.has(root)) continue;
    slice.add(root);
    const present = root;
    for (const cell of cellsOf.get(present) ?? []) {
      for (const each of [cell, ...makers(cell)]) {
        const before = writers.get(each)?.findLast((writer) => writer < present);
        if (before !== undefined) left.push(before);
      }
    }
  }
  return slice;
}

function startsOf(source: EventSource, sides: Sides, target: Target): number[] {
  if (target.kind !== 'finding') return [target.at.seq];
  const finding = check(source, sides).findings.find(({ id }) => id === target.id);
  if (finding === undefined) return [];
  return [finding.at, finding.culprit.at, ...finding.evidence].map(({ seq }) => seq);
}

/** The existence cells of the object that a cell belongs to and of those above it. */
function makersOf(objects: readonly ObjectRow[]): (cell: number) => number[] {
  const rows = new Map(objects.map((row) => [row.id, row]));
  return (cell) => {
    let [low, high] = [0, objects.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((objects[middle]?.id ?? 0) <= cell) low = middle;
      else high = middle - 1;
    }
    const above: number[] = [];
    for (
      let row = objects[low];
      row !== undefined;
      row = row.parent === TOP ? undefined : rows.get(row.parent)
    )
      above.push(row.id);
    return above;
  };
}
