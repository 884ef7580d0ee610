import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId } from '../../state/store.ts';
import { GPA, GPA_ACCESS, MEMORY } from '../cells/gpa.ts';
import { cellAt } from '../cells/place.ts';

type RunKind = typeof GPA | typeof GPA_ACCESS;

/** Guest page frames that are mapped alike. */
export interface GpaRun {
  readonly id: ObjectId;
  readonly start: bigint;
  /** First frame after it. */
  readonly end: bigint;
  readonly flags: number;
}

function runAt({ store }: Context, id: ObjectId, { slots }: RunKind): GpaRun {
  const start = BigInt(store.key(id));
  const pages = store.get(cellAt(id, slots.pages));
  return { id, start, end: start + pages, flags: store.low(cellAt(id, slots.flags)) };
}

/** All runs of a partition: of frames that are mapped alike, or of those whose states are known alike. */
export function runsOf(context: Context, partition: ObjectId, kind: RunKind = GPA): GpaRun[] {
  return context.store.children(partition, kind).map((id) => runAt(context, id, kind));
}

/** How a guest page frame of a partition is mapped; undefined where it is not. */
export function gpaRunOf(context: Context, partition: ObjectId, frame: bigint): GpaRun | undefined {
  return runsOf(context, partition).find(({ start, end }) => start <= frame && frame < end);
}

function createRun(
  context: Context,
  partition: ObjectId,
  kind: RunKind,
  [start, end]: readonly [bigint, bigint],
  flags: number,
): void {
  const { store } = context;
  const id = store.create(partition, kind, keyOf(start));
  store.set(cellAt(id, kind.slots.pages), end - start);
  store.set(cellAt(id, kind.slots.flags), flags);
}

/** Takes `start` up to `end` out of a run that overlaps it: what is left of the run stays. */
function cut(
  context: Context,
  partition: ObjectId,
  kind: RunKind,
  run: GpaRun,
  [start, end]: readonly [bigint, bigint],
): void {
  const { store } = context;
  if (run.start < start) store.set(cellAt(run.id, kind.slots.pages), start - run.start);
  else store.destroy(run.id);
  if (run.end > end) createRun(context, partition, kind, [end, run.end], run.flags);
}

/** Maps frames alike, or with `flags` undefined unmaps them; gives how many of them were mapped before. */
export function assignGpa(
  context: Context,
  partition: ObjectId,
  start: bigint,
  pages: bigint,
  flags: number | undefined,
  kind: RunKind = GPA,
): bigint {
  const { store } = context;
  const end = start + pages;
  const runs = runsOf(context, partition, kind);
  let before = 0n;
  for (const run of runs) {
    if (run.end <= start || run.start >= end) continue;
    before += (run.end < end ? run.end : end) - (run.start > start ? run.start : start);
    if (run.flags !== flags) cut(context, partition, kind, run, [start, end]);
  }
  if (flags === undefined) return before;
  let [from, to] = [start, end];
  const joined: GpaRun[] = [];
  for (const run of runs) {
    if (run.flags !== flags || run.end < start || run.start > end) continue;
    joined.push(run);
    if (run.start < from) from = run.start;
    if (run.end > to) to = run.end;
  }
  const first = joined.find((run) => run.start === from);
  for (const run of joined) if (run !== first) store.destroy(run.id);
  if (first === undefined) createRun(context, partition, kind, [from, to], flags);
  else if (first.end !== to) store.set(cellAt(first.id, kind.slots.pages), to - from);
  return before;
}

/** Nothing of a partition is mapped any more. */
export function removeGpa({ store }: Context, partition: ObjectId): void {
  for (const kind of [GPA, GPA_ACCESS, MEMORY])
    for (const id of store.children(partition, kind)) store.destroy(id);
}
