import type { ObjectKind } from './schema.ts';

/** Finds a kind of object by its path, `cpu.msr`; undefined for one that this engine does not have. */
export type KindRegistry = (path: string) => ObjectKind | undefined;

/** Name of a kind below its parents: `cpu`, `cpu.msr`, `partition.vp`. */
export function kindPath(kind: ObjectKind): string {
  return kind.parent === undefined ? kind.name : `${kindPath(kind.parent)}.${kind.name}`;
}
