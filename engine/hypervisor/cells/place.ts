import type { Context } from '../../machine/context.ts';
import type { CellId, ObjectId } from '../../state/store.ts';

/** The cell in a slot of an object. */
export function cellAt(object: ObjectId, slot: number): CellId {
  return (object + slot) as CellId;
}

/** What a cell holds, or `otherwise` where it is not known and that much may be taken for granted. */
export function knownOr({ store }: Context, cell: CellId, otherwise: bigint): bigint {
  return store.known(cell) ? store.get(cell) : otherwise;
}

/** First slot of element `index` in an array of groups. */
export function groupAt(
  groups: { readonly first: number; readonly stride: number; readonly count: number },
  index: number,
): number {
  if (index < 0 || index >= groups.count) throw new RangeError(`no element ${index} of ${groups.count}`);
  return groups.first + index * groups.stride;
}
