import { sizeOfStruct } from '../layout/structs.ts';
import { registers } from '../lookup/registers.ts';
import { decode } from './decode.ts';
import type { DecodedStruct } from './decoded.ts';

/** Bytes of a register's value. */
const REGISTER_VALUE_BYTES = 16;

/** The members of a register's value; undefined where it is a plain number. */
export function decodeRegister(name: number, value: bigint): DecodedStruct | undefined {
  const layout = registers.find(name)?.layout;
  if (layout === undefined) return undefined;
  return decode(layout, registerBytes(value).subarray(0, sizeOfStruct(layout)));
}

/** The 16 little-endian bytes of a value of at most 128 bits. */
function registerBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(REGISTER_VALUE_BYTES);
  let rest = BigInt.asUintN(128, value);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
