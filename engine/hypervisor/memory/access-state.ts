import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { GPA_ACCESS } from '../cells/gpa.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { mayRun } from '../vp/suspend.ts';
import { assignGpa, runsOf } from './runs.ts';

/** Accessed (1) and dirty (2) of a page: which of them are known, and what these are. */
export interface PageState {
  readonly known: number;
  readonly value: number;
}

/** As a cell has it: the value in bits 0 and 1, what is known in bits 4 and 5. */
const KNOWN_SHIFT = 4;
const BITS = 3;
export const UNKNOWN: PageState = { known: 0, value: 0 };

function packed({ known, value }: PageState): number | undefined {
  return known === 0 ? undefined : (known << KNOWN_SHIFT) | (value & known);
}

function unpacked(flags: number): PageState {
  return { known: (flags >> KNOWN_SHIFT) & BITS, value: flags & BITS };
}

/** Nothing of the partition has run since the states were last cleared or set. */
function isCertain({ store }: Context, partition: ObjectId): boolean {
  return store.low(cellAt(partition, PARTITION.slots.accessCertain)) === 1;
}

/** What a state is worth once the guest may have run: what was set stays so. */
function doubted({ known, value }: PageState): PageState {
  return { known: known & value, value };
}

/** What is known of `count` pages from one on. */
export function statesAt(context: Context, partition: ObjectId, first: bigint, count: number): PageState[] {
  const states = new Array<PageState>(count).fill(UNKNOWN);
  const certain = isCertain(context, partition);
  for (const { start, end, flags } of runsOf(context, partition, GPA_ACCESS)) {
    const state = certain ? unpacked(flags) : doubted(unpacked(flags));
    if (end <= first || start >= first + BigInt(count)) continue;
    const from = start < first ? 0 : Number(start - first);
    const to = end - first < BigInt(count) ? Number(end - first) : count;
    for (let i = from; i < to; i++) states[i] = state;
  }
  return states;
}

/** A call has left pages with these states; of bits that it did not name what was known stays. */
export function noteStates(
  context: Context,
  partition: ObjectId,
  first: bigint,
  pages: bigint,
  { known, value }: PageState,
): void {
  if (known === 0) return;
  settle(context, partition);
  const end = first + pages;
  // What was known of the other bits lies in the runs that reach into the pages.
  const inside = runsOf(context, partition, GPA_ACCESS).filter((run) => run.start < end && run.end > first);
  assignGpa(context, partition, first, pages, packed({ known, value }), GPA_ACCESS);
  for (const run of inside) {
    const before = unpacked(run.flags);
    const both = { known: known | before.known, value: (before.value & ~known) | value };
    if (both.known === known) continue;
    const from = run.start > first ? run.start : first;
    const to = run.end < end ? run.end : end;
    assignGpa(context, partition, from, to - from, packed(both), GPA_ACCESS);
  }
}

/** Drops what the guest may have undone since, and says whether more can be: whether a VP runs now. */
function settle(context: Context, partition: ObjectId): void {
  const { store } = context;
  const cell = cellAt(partition, PARTITION.slots.accessCertain);
  if (store.low(cell) === 0) {
    for (const { start, end, flags } of runsOf(context, partition, GPA_ACCESS)) {
      assignGpa(context, partition, start, end - start, packed(doubted(unpacked(flags))), GPA_ACCESS);
    }
  }
  const runs = store.children(partition, VP).some((vp) => mayRun(context, vp));
  if (store.low(cell) !== (runs ? 0 : 1)) store.set(cell, runs ? 0 : 1);
}

/** Pages are mapped anew, or not any more: nothing is known of what was touched there. */
export function forgetStates(context: Context, partition: ObjectId, first: bigint, pages: bigint): void {
  if (context.store.children(partition, GPA_ACCESS).length > 0) {
    assignGpa(context, partition, first, pages, undefined, GPA_ACCESS);
  }
}
