import type { TraceEvent } from '../../engine/trace/event.ts';
import { seqOf, timeNs } from '../../engine/trace/position.ts';

/** A stimulus with everything below it, in the order of the recording. */
export type Tree = readonly TraceEvent[];

/** The stimuli of a recording, each with what stands below it; empty where two are mixed with each other. */
export function treesOf(events: readonly TraceEvent[]): Tree[] {
  const trees: TraceEvent[][] = [];
  const rootOf = new Map<number, TraceEvent[]>();
  for (const event of events) {
    const tree = event.parent === undefined ? [] : rootOf.get(event.parent);
    if (tree === undefined) return [];
    if (event.parent === undefined) trees.push(tree);
    else if (tree !== trees.at(-1)) return [];
    tree.push(event);
    rootOf.set(event.seq, tree);
  }
  return trees;
}

/** The recording without one of its stimuli and all that it caused. */
export function without(trees: readonly Tree[], index: number): TraceEvent[] {
  return renumbered(trees.toSpliced(index, 1).flat());
}

/** The recording with a stimulus and the next one changed over; each takes as long as it did. */
export function swapped(trees: readonly Tree[], index: number): TraceEvent[] {
  const [one, other] = [trees[index] ?? [], trees[index + 1] ?? []];
  const [start, next] = [one[0]?.t ?? 0, other[0]?.t ?? 0];
  const later = trees[index + 2]?.[0]?.t ?? Number.MAX_SAFE_INTEGER;
  const first = moved(other, start - next);
  const second = moved(one, Math.min(next, later) - start);
  const order = trees.toSpliced(index, 2, first, second).flat();
  return renumbered(order);
}

function moved(tree: Tree, by: number): TraceEvent[] {
  return tree.map((event) => {
    const at = { ...event, t: timeNs(event.t + by) };
    return 'tEnd' in at && at.tEnd !== undefined ? { ...at, tEnd: timeNs(at.tEnd + by) } : at;
  });
}

/** Whether the two can be told apart in time: neither lasts into what follows. */
export function isApart(trees: readonly Tree[], index: number): boolean {
  const [one, other] = [trees[index], trees[index + 1]];
  const later = trees[index + 2]?.[0]?.t ?? Number.MAX_SAFE_INTEGER;
  const end = (tree: Tree) =>
    tree.reduce((most, event) => Math.max(most, event.t, ('tEnd' in event && event.tEnd) || 0), 0);
  if (one === undefined || other === undefined) return false;
  const [start, next] = [one[0]?.t ?? 0, other[0]?.t ?? 0];
  return (
    end(one) < next &&
    end(other) < later &&
    start + end(other) - next < next &&
    next + end(one) - start < later
  );
}

/** Numbered anew, each below the nearest of those above it that is left. */
export function renumbered(
  events: readonly TraceEvent[],
  before: readonly TraceEvent[] = events,
): TraceEvent[] {
  const seqs = new Map(events.map(({ seq }, i) => [seq, seqOf(i + 1)]));
  const parents = new Map(before.map(({ seq, parent }) => [seq, parent]));
  return events.map(({ parent, ...event }) => {
    let above = parent;
    while (above !== undefined && !seqs.has(above)) above = parents.get(above);
    const seq = seqs.get(event.seq) as TraceEvent['seq'];
    const found = above === undefined ? undefined : seqs.get(above);
    return (found === undefined ? { ...event, seq } : { ...event, seq, parent: found }) as TraceEvent;
  });
}
