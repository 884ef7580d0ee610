import { EVENT_COLUMNS } from '../format/schema.ts';

/** What stands in a column of `event`: see docs/format.md. */
export type Value = number | bigint | string | Uint8Array;

/** The columns of one event, in the order of the schema; 0 where there is nothing. */
export type Row = Value[];

const at = (name: (typeof EVENT_COLUMNS)[number]): number => EVENT_COLUMNS.indexOf(name);

export const SEQ = at('seq');
export const T = at('t');
export const KIND = at('kind');
export const PARENT = at('parent');
export const ACTOR = at('actor');
export const HANDLE = at('handle');
export const CODE = at('code');
export const VALUE_AT = at('value');
export const RESULT_AT = at('result');
export const DUR = at('dur');
export const FLAGS = at('flags');
export const ARG = at('arg');
export const INPUT = at('input');
export const OUT_ARG = at('out_arg');
export const OUTPUT = at('output');
export const MORE = at('more');

/** A 64-bit value as the signed number that SQLite keeps; a plain number where it is exact. */
export function toColumn64(value: bigint): number | bigint {
  if (value >= 0n && value <= 0x1f_ffff_ffff_ffffn) return Number(value);
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`not a 64-bit value: ${value}`);
  return BigInt.asIntN(64, value);
}

/** A 64-bit value from its halves (`column >> 32` is signed, `column & 0xffffffff` is not). */
export function fromHalves(high: number, low: number): bigint {
  if (high >= 0 && high < 0x20_0000) return BigInt(high * 0x1_0000_0000 + low);
  return BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low));
}
