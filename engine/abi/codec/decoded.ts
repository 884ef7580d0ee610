import type { StructLayout } from '../layout/layout.ts';
import type { Display } from '../lookup/bit-fields.ts';

/**
 * What stands in a field. Integers of at most 32 bits are numbers, wider ones bigints. `partial`: the buffer
 * ends inside the field; `bytes` is what there is of it.
 */
export type DecodedValue =
  | { readonly kind: 'integer'; readonly value: number | bigint }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'struct'; readonly struct: DecodedStruct }
  | { readonly kind: 'array'; readonly elements: readonly DecodedField[] }
  | { readonly kind: 'partial'; readonly bytes: Uint8Array };

export interface DecodedField {
  /** The member's name, the index of an array's element, or `@0x1c` for bytes that the layout leaves out. */
  readonly name: string;
  /** Bytes from the start of the whole buffer. */
  readonly offset: number;
  /** Bytes; of a bit field those of its carrier. */
  readonly size: number;
  /** For a bit field only: its lowest bit in the carrier, and how many. */
  readonly lsb: number | undefined;
  readonly width: number | undefined;
  readonly display: Display;
  /** Of members that share bytes: the one that stands for them (README.md says which). */
  readonly chosen: boolean;
  /** Must be zero or preserved. */
  readonly reserved: boolean;
  readonly value: DecodedValue;
}

export interface DecodedStruct {
  readonly layout: StructLayout;
  /** Bytes from the start of the whole buffer. */
  readonly offset: number;
  /** What the buffer holds of it, trailing array included. */
  readonly bytes: Uint8Array;
  readonly fields: readonly DecodedField[];
  /** What follows the last field; empty but for the outermost struct. */
  readonly trailing: Uint8Array;
}
