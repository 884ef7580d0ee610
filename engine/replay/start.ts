import { Machine, type Sides } from '../machine/machine.ts';
import type { StoreCheckpoint, StoreTables } from '../state/checkpoint.ts';
import type { JournalSink } from '../state/journal.ts';
import type { OpenCall } from './frame.ts';
import type { EventSource } from './source.ts';

/** Where a trace starts whose recorder kept the machine's state of then, and no event before. */
export interface Start {
  readonly store: StoreCheckpoint;
  readonly tables: StoreTables;
  /** Calls that were under way: the first events of the trace are their entries, in this order. */
  readonly open: readonly OpenCall[];
}

/** The machine as it stands before the first event that is replayed. */
export function machineOf(source: EventSource, sides: Sides, sink?: JournalSink): Machine {
  const { header, start } = source;
  if (start === undefined) return Machine.initial(header.profile, sides, sink);
  return Machine.restored(header.profile, sides, start.store, start.tables, sink);
}

/** Number of the first event that is replayed; those before it were under way. */
export function firstOf({ start }: EventSource): number {
  return 1 + (start?.open.length ?? 0);
}

/** Cells that hold the number of the call that made an object, which is over: in a trace of other numbers it means nothing. */
const CALL_NUMBER = 'creator';

/** A checkpoint for a trace that numbers its events anew. */
export function renumbered(checkpoint: StoreCheckpoint, { objects }: StoreTables): StoreCheckpoint {
  const values = checkpoint.values.slice();
  const kinds = new Map(Array.from(objects, ({ id, kind }) => [id as number, kind]));
  let value = 0;
  for (let i = 0; i < checkpoint.blocks.length; i += 2) {
    const kind = kinds.get(checkpoint.blocks[i] as number);
    const slot = kind?.info.findIndex(({ path }) => path === CALL_NUMBER) ?? -1;
    if (slot > 0) values[value + slot] = 0n;
    value += checkpoint.blocks[i + 1] as number;
  }
  return { ...checkpoint, values };
}

/** Whether objects and blocks of cells are what a store would have made: what a file says is not believed. */
export function isSound(
  { cells, blocks, objects, blobs, components }: StoreCheckpoint,
  tables: StoreTables,
): boolean {
  if (
    tables.objects.length !== objects ||
    tables.blobs.length !== blobs ||
    tables.components.length !== components
  )
    return false;
  const lengths = new Map<number, number>();
  let next: number | undefined;
  for (const { id, kind, parent } of tables.objects) {
    const isFirst = next === undefined;
    if (!isFirst && id !== next) return false;
    if (kind.parent !== undefined && !lengths.has(parent)) return false;
    lengths.set(id, kind.info.length);
    next = id + kind.info.length;
  }
  if (next !== undefined && next !== cells) return false;
  for (let i = 0; i < blocks.length; i += 2)
    if (lengths.get(blocks[i] as number) !== blocks[i + 1]) return false;
  return true;
}
