import type { History } from '../../replay/history.ts';
import type { StateImage } from '../../replay/image.ts';
import type { ObjectKind } from '../../state/schema.ts';
import type { CellId, ObjectRow } from '../../state/store.ts';
import type { Address } from '../../trace/position.ts';
import type { Deeds } from './deeds.ts';

/** What the views of the machine are made from. */
export interface MachineGround {
  readonly history: History;
  /** Stands after `at`. */
  readonly image: StateImage;
  readonly at: Address;
  readonly deeds: Deeds;
}

/** Objects of a kind, in the order of their creation; those below one object where it is given. */
export function objectsOf({ history }: MachineGround, kind: ObjectKind, below?: ObjectRow): ObjectRow[] {
  return history.tables.objects.filter(
    (row) => row.kind === kind && (below === undefined || row.parent === below.id),
  );
}

/** The number in a cell of an object where the image stands. */
export function numberIn({ image }: MachineGround, row: ObjectRow, slot: number): number {
  return Number(image.get(cellIn(row, slot)));
}

export function cellIn(row: ObjectRow, slot: number): CellId {
  return (row.id + slot) as CellId;
}

/** Partitions that were there before the first event: the one that the trace is about. */
export function isOwn({ history }: MachineGround, partition: ObjectRow): boolean {
  const first = history.writesOf(cellIn(partition, 0))[0];
  return first !== undefined && history.write(first).at.seq === 0;
}
