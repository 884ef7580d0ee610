import type { StructName } from '../ids.ts';
import type { BitField, Display } from '../lookup/bit-fields.ts';

/** What stands in a field. */
export type FieldType =
  | { readonly kind: 'integer'; readonly bytes: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly kind: 'struct'; readonly name: StructName }
  /** A struct or union that has no type name of its own; its members stand under the field's name. */
  | { readonly kind: 'inline'; readonly layout: StructLayout }
  /** `count` undefined: as many as there are bytes, at the end of the struct. */
  | { readonly kind: 'array'; readonly element: FieldType; readonly count: number | undefined };

/**
 * When a member of overlapping ones is the one to write: `field` (of this struct, or, with `outer`, of the
 * nearest enclosing struct or the call's input that has such a field) has the value, shares a bit with it, or is
 * not below it.
 * `else`: none of the other conditional members is.
 */
export type Condition =
  | { readonly kind: 'else' }
  | {
      readonly kind: 'equals' | 'shares' | 'reaches';
      readonly field: string;
      readonly outer: boolean;
      /** The name of `value` in the tables. */
      readonly name: string;
      readonly value: bigint;
    };

export interface Field {
  /** Empty for a carrier of bit fields that has no name: the bit fields are members of the struct itself. */
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** 0 for a trailing array. */
  readonly size: number;
  readonly type: FieldType;
  readonly bits: readonly BitField[];
  readonly display: Display;
  /** Another reading of bytes that a sibling names: readers accept it, writers do not use it. */
  readonly alternative: boolean;
  readonly when: Condition | undefined;
  /** Must be zero; not written while it is zero. */
  readonly reserved: boolean;
  /** What a pointer points to, as the source names it. */
  readonly pointsTo: string | undefined;
}

/**
 * How the event text writes the struct: an object of its members, one integer, a SynIC message, or one that is
 * posted, which is as long as it says and not as long as the struct.
 */
export type TextForm = 'object' | 'integer' | 'message' | 'posted';

export interface StructLayout {
  readonly name: StructName;
  readonly kind: 'struct' | 'union';
  readonly size: number;
  readonly source: string;
  readonly form: TextForm;
  readonly fields: readonly Field[];
}
