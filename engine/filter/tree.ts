import type { Address, TimeNs } from '../trace/position.ts';

export type CompareOp = '==' | '!=' | '<' | '<=' | '>' | '>=' | '~';
export const COMPARE_OPS: readonly CompareOp[] = ['==', '!=', '<', '<=', '>', '>=', '~'];

/** A value as it was written; what it means depends on the field that it stands beside. `column` is 1-based. */
export type Value =
  | { readonly kind: 'number'; readonly value: bigint; readonly hex: boolean; readonly column: number }
  | { readonly kind: 'time'; readonly ns: TimeNs; readonly column: number }
  /** A word that is neither: a name, a handle, `2.0`, `812r`, a plain pattern. */
  | { readonly kind: 'name'; readonly text: string; readonly column: number }
  | { readonly kind: 'string'; readonly text: string; readonly column: number };

/** A filter as it was read; `and` and `or` have two terms or more and none of their own kind. */
export type Tree =
  | { readonly kind: 'or' | 'and'; readonly terms: readonly Tree[] }
  | { readonly kind: 'not'; readonly term: Tree }
  | { readonly kind: 'bare'; readonly field: FieldRef }
  | { readonly kind: 'compare'; readonly field: FieldRef; readonly op: CompareOp; readonly value: Value }
  | { readonly kind: 'in'; readonly field: FieldRef; readonly values: readonly Value[] }
  | { readonly kind: 'changes'; readonly path: string; readonly column: number }
  | { readonly kind: 'under'; readonly position: Address };

/** A field by the name that it was given; `arg.flags` and the like are split later, by the field table. */
export interface FieldRef {
  readonly name: string;
  readonly column: number;
}

/** Joins terms, taking in those that are of the same kind, so that equal filters are equal trees. */
export function join(kind: 'and' | 'or', terms: readonly Tree[]): Tree {
  const flat = terms.flatMap((term) => (term.kind === kind ? term.terms : [term]));
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind, terms: flat };
}
