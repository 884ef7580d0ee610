import type { CellId, ObjectId } from '../../state/store.ts';

/** The cell in a slot of an object. */
export function cellAt(object: ObjectId, slot: number): CellId {
  return (object + slot) as CellId;
}

/** First slot of element `index` in an array of groups. */
export function groupAt(
  groups: { readonly first: number; readonly stride: number; readonly count: number },
  index: number,
): number {
  if (index < 0 || index >= groups.count) throw new RangeError(`no element ${index} of ${groups.count}`);
  return groups.first + index * groups.stride;
}
