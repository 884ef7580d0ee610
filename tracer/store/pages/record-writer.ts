import { FIRST_BLOB, NUMBER_BYTES } from './record.ts';

/** What a column may hold. Numbers are integers. */
export type StoredValue = number | bigint | string | Uint8Array | null;

const NULL = 0;
const ZERO = 8;
const ONE = 9;
const SIX_BYTES = 5;
const EIGHT_BYTES = 6;
const MAX_SIX_BYTES = 2 ** 47;

/** Writes records (SQLite's file format, 2.1): first {@link measure}, then {@link write} of the same values. */
export class RecordWriter {
  /** Serial types of the record that was measured. */
  #types = new Int32Array(16);
  #header = 0;

  /** Bytes that the record will have. The first column is the rowid, which is not repeated in it. */
  measure(values: readonly StoredValue[]): number {
    if (this.#types.length < values.length) this.#types = new Int32Array(values.length);
    const types = this.#types;
    types[0] = NULL;
    let header = 1;
    let body = 0;
    for (let i = 1; i < values.length; i += 1) {
      const value = values[i] as StoredValue;
      if (value === 0) {
        types[i] = ZERO;
        header += 1;
        continue;
      }
      const type = typeOf(value);
      types[i] = type;
      header += type < 0x80 ? 1 : varintBytes(type);
      body += type < FIRST_BLOB ? (NUMBER_BYTES[type] as number) : (type - FIRST_BLOB) >> 1;
    }
    // Its own size is part of the header, in one byte below 128.
    this.#header = header < 0x7f ? header + 1 : header + 2;
    return this.#header + body;
  }

  write(bytes: Uint8Array, start: number, values: readonly StoredValue[]): void {
    const types = this.#types;
    let head = writeVarint(bytes, start, this.#header);
    let at = start + this.#header;
    bytes[head] = NULL;
    head += 1;
    for (let i = 1; i < values.length; i += 1) {
      const type = types[i] as number;
      if (type < 0x80) {
        bytes[head] = type;
        head += 1;
      } else head = writeVarint(bytes, head, type);
      if (type === ZERO || type === ONE || type === NULL) continue;
      const value = values[i] as number | bigint | string | Uint8Array;
      if (type < FIRST_BLOB) at = writeInteger(bytes, at, value as number | bigint, type);
      else if (typeof value === 'string') at += Buffer.from(bytes.buffer, bytes.byteOffset + at).write(value);
      else at = writeBytes(bytes, at, value as Uint8Array);
    }
  }
}

function typeOf(value: StoredValue): number {
  if (typeof value === 'number') {
    if ((value | 0) === value) {
      if (value === 1) return ONE;
      if (value >= -0x80 && value < 0x80) return 1;
      if (value >= -0x8000 && value < 0x8000) return 2;
      return value >= -0x80_0000 && value < 0x80_0000 ? 3 : 4;
    }
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no integer`);
    return value >= -MAX_SIX_BYTES && value < MAX_SIX_BYTES ? SIX_BYTES : EIGHT_BYTES;
  }
  if (typeof value === 'bigint') return isSafe(value) ? typeOf(Number(value)) : EIGHT_BYTES;
  if (value === null) return NULL;
  if (typeof value === 'string') return FIRST_BLOB + 1 + 2 * Buffer.byteLength(value);
  return FIRST_BLOB + 2 * value.length;
}

function isSafe(value: bigint): boolean {
  return value >= -0x1f_ffff_ffff_ffffn && value <= 0x1f_ffff_ffff_ffffn;
}

/** Big-endian, in the bytes of its serial type; returns where it ends. */
function writeInteger(bytes: Uint8Array, at: number, value: number | bigint, type: number): number {
  if (typeof value === 'bigint' && type === EIGHT_BYTES) {
    write32(bytes, at, Number(BigInt.asIntN(32, value >> 32n)));
    write32(bytes, at + 4, Number(BigInt.asIntN(32, value)));
    return at + 8;
  }
  const number = Number(value);
  switch (type) {
    case 1:
      bytes[at] = number;
      return at + 1;
    case 2:
      bytes[at] = number >> 8;
      bytes[at + 1] = number;
      return at + 2;
    case 3:
      bytes[at] = number >> 16;
      bytes[at + 1] = number >> 8;
      bytes[at + 2] = number;
      return at + 3;
    case 4:
      write32(bytes, at, number);
      return at + 4;
    case SIX_BYTES: {
      const high = Math.floor(number / 0x1_0000_0000);
      bytes[at] = high >> 8;
      bytes[at + 1] = high;
      write32(bytes, at + 2, number - high * 0x1_0000_0000);
      return at + 6;
    }
    default: {
      const high = Math.floor(number / 0x1_0000_0000);
      write32(bytes, at, high);
      write32(bytes, at + 4, number - high * 0x1_0000_0000);
      return at + 8;
    }
  }
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** A call into Node costs as much as copying this many bytes here. */
const COPIED_HERE = 48;

function writeBytes(bytes: Uint8Array, at: number, value: Uint8Array): number {
  const size = value.length;
  if (size > COPIED_HERE) bytes.set(value, at);
  else for (let i = 0; i < size; i += 1) bytes[at + i] = value[i] as number;
  return at + size;
}

export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  let bytes = 4;
  for (let rest = value / 0x1000_0000; rest >= 1; rest /= 0x80) bytes += 1;
  return bytes;
}

/** Writes a number below 2^53 as a varint, its high bits first; returns where it ends. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    bytes[at] = value;
    return at + 1;
  }
  const end = at + varintBytes(value);
  let rest = value;
  bytes[end - 1] = rest % 0x80;
  for (let i = end - 2; i >= at; i -= 1) {
    rest = Math.floor(rest / 0x80);
    bytes[i] = (rest % 0x80) | 0x80;
  }
  return end;
}
