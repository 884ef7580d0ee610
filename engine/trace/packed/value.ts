import type { PageBytes, RegisterValue } from '../event.ts';
import { formatHandle, formatVp, type Handle, parseHandle, parseVp, type VpRef } from '../handle.ts';
import { ByteReader, ByteWriter, Malformed } from './bytes.ts';
import { entry, type PayloadTable, type TextTable } from './tables.ts';

export interface WriteTables {
  readonly texts: TextTable;
  readonly payloads: PayloadTable;
}

export interface ReadTables {
  readonly texts: readonly string[];
  readonly payloads: readonly Uint8Array[];
}

/** How one kind of value becomes the number that a column holds. */
export interface NarrowType<T> {
  readonly wide: false;
  /** Reading the code costs something: equal codes of a column share one value. */
  readonly shared?: true;
  pack(value: T, tables: WriteTables): number;
  unpack(code: number, tables: ReadTables): T;
}

/** The same for values of 64 bits. */
export interface WideType<T> {
  readonly wide: true;
  pack(value: T): bigint;
  unpack(code: bigint): T;
}

export type ValueType<T> = NarrowType<T> | WideType<T>;

/** A value that no event has is a mistake of the program that made it. */
function checked(value: number, max = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > max)
    throw new RangeError(`not a whole number from 0 to ${max}: ${value}`);
  return value;
}

function uint(max: number): NarrowType<number> {
  return {
    wide: false,
    pack: (value) => checked(value, max),
    unpack(code) {
      if (code > max) throw new Malformed('a number is too large for its field');
      return code;
    },
  };
}

export const U8 = uint(0xff);
export const U12 = uint(0xfff);
export const U16 = uint(0xffff);
export const U32 = uint(0xffff_ffff);
export const COUNT = uint(Number.MAX_SAFE_INTEGER);

/** 0, -1, 1, -2, … become 0, 1, 2, 3, …; down to -2^31 for a result or a file descriptor. */
function int(max: number): NarrowType<number> {
  const unsigned = uint(max);
  return {
    wide: false,
    pack: (value, tables) => unsigned.pack(value < 0 ? -2 * value - 1 : 2 * value, tables),
    unpack(code, tables) {
      const value = unsigned.unpack(code, tables);
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    },
  };
}

export const I32 = int(0xffff_ffff);
export const DELTA = int(Number.MAX_SAFE_INTEGER);

/** A result, or null where the call never returned. */
export const RESULT: NarrowType<number | null> = {
  wide: false,
  pack: (value, tables) => (value === null ? 0 : I32.pack(value, tables) + 1),
  unpack: (code, tables) => (code === 0 ? null : I32.unpack(code - 1, tables)),
};

export const WIDE: WideType<bigint> = {
  wide: true,
  pack(value) {
    if (BigInt.asUintN(64, value) !== value) throw new RangeError(`not an unsigned 64-bit integer: ${value}`);
    return value;
  },
  unpack: (code) => code,
};

export const FLAG: NarrowType<boolean> = {
  wide: false,
  pack: (value) => (value ? 1 : 0),
  unpack: (code) => {
    if (code > 1) throw new Malformed('not true or false');
    return code === 1;
  },
};

/** One of some words, whose order never changes. */
export function word<T extends string>(words: readonly T[]): NarrowType<T> {
  return {
    wide: false,
    pack: (value) => checked(words.indexOf(value)),
    unpack: (code) => entry(words, code),
  };
}

export const TEXT: NarrowType<string> = {
  wide: false,
  pack: (value, tables) => tables.texts.numberOf(value),
  unpack: (code, tables) => entry(tables.texts, code),
};

export const BYTES: NarrowType<Uint8Array> = {
  wide: false,
  pack: (value, tables) => tables.payloads.numberOf(value),
  unpack: (code, tables) => entry(tables.payloads, code),
};

function parsed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Malformed(`not a ${what}`);
  return value;
}

export const HANDLE: NarrowType<Handle> = {
  wide: false,
  shared: true,
  pack: (value, tables) => tables.texts.numberOf(formatHandle(value)),
  unpack: (code, tables) => parsed(parseHandle(entry(tables.texts, code)), 'handle'),
};

export const VP: NarrowType<VpRef> = {
  wide: false,
  shared: true,
  pack: (value, tables) => tables.texts.numberOf(formatVp(value)),
  unpack: (code, tables) => parsed(parseVp(entry(tables.texts, code)), 'VP'),
};

/** A list of small records, kept as one payload. */
function listOf<T>(
  write: (writer: ByteWriter, item: T) => void,
  read: (reader: ByteReader) => T,
): NarrowType<readonly T[]> {
  return {
    wide: false,
    pack(value, tables) {
      const writer = new ByteWriter();
      writer.uint(value.length);
      for (const item of value) write(writer, item);
      return tables.payloads.numberOf(writer.finish());
    },
    unpack(code, tables) {
      const reader = new ByteReader(entry(tables.payloads, code));
      const items: T[] = [];
      for (let left = reader.count(); left > 0; left -= 1) items.push(read(reader));
      if (reader.left !== 0) throw new Malformed('a list is longer than its count');
      return items;
    },
  };
}

const LOW = 0xffff_ffffn;
const NO_TABLES: ReadTables = { texts: [], payloads: [] };

function writeWide(writer: ByteWriter, value: bigint): void {
  writer.wide(Number(value & LOW), Number((value >> 32n) & LOW));
}

function readWide(reader: ByteReader): bigint {
  const low = reader.wide();
  return BigInt(low) | (BigInt(reader.high) << 32n);
}

export const REGISTERS: NarrowType<readonly RegisterValue[]> = listOf(
  (writer, { name, value }) => {
    writer.uint(checked(name, 0xffff_ffff));
    writeWide(writer, value);
    writeWide(writer, value >> 64n);
  },
  (reader) => {
    const name = U32.unpack(reader.uint(), NO_TABLES);
    const low = readWide(reader);
    return { name, value: low | (readWide(reader) << 64n) };
  },
);

export const PAGE_BYTES: NarrowType<readonly PageBytes[]> = listOf(
  (writer, { offset, bytes }) => {
    writer.uint(checked(offset));
    writer.uint(bytes.length);
    writer.raw(bytes);
  },
  (reader) => {
    const offset = reader.uint();
    return { offset, bytes: reader.raw(reader.uint()) };
  },
);
