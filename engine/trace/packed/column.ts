import { type ByteReader, ByteWriter, Malformed } from './bytes.ts';

/**
 * A column holds one number for each of some rows, or none. It is written as a mode byte, a bitmap of the rows that
 * have a value (only where some have none), and the values: one for all, or an index a row into a dictionary,
 * or each row's own.
 */
const CONSTANT = 0;
const DICTIONARY = 1;
const PLAIN = 2;
const SOME_ABSENT = 4;

/** A dictionary's index takes one byte, so it has at most this many entries. */
const MAX_DICTIONARY = 256;

/** How numbers of one width go into bytes and come out; `K` tells equal values. */
interface Width<K> {
  write(writer: ByteWriter, value: K): void;
  read(reader: ByteReader): K;
}

const UINT: Width<number> = {
  write: (writer, value) => writer.uint(value),
  read: (reader) => reader.uint(),
};

const halves = new DataView(new ArrayBuffer(8));

const WIDE: Width<bigint> = {
  write(writer, value) {
    halves.setBigUint64(0, value, true);
    writer.wide(halves.getUint32(0, true), halves.getUint32(4, true));
  },
  read(reader) {
    halves.setUint32(0, reader.wide(), true);
    halves.setUint32(4, reader.high, true);
    return halves.getBigUint64(0, true);
  },
};

function writePresence<K>(writer: ByteWriter, values: readonly (K | undefined)[]): void {
  for (let i = 0; i < values.length; i += 8) {
    let bits = 0;
    for (let bit = 0; bit < 8; bit += 1) if (values[i + bit] !== undefined) bits |= 1 << bit;
    writer.byte(bits);
  }
}

function dictionaryOf<K>(present: readonly K[]): Map<K, number> | undefined {
  const numbers = new Map<K, number>();
  for (const value of present) {
    if (numbers.has(value)) continue;
    if (numbers.size === MAX_DICTIONARY) return undefined;
    numbers.set(value, numbers.size);
  }
  return numbers;
}

function encode<K>(width: Width<K>, values: readonly (K | undefined)[]): Uint8Array | undefined {
  const present = values.filter((value) => value !== undefined);
  const first = present[0];
  if (first === undefined) return undefined;
  const writer = new ByteWriter();
  const absent = present.length < values.length;
  const dictionary = dictionaryOf(present);
  const begin = (mode: number): void => {
    writer.byte(mode | (absent ? SOME_ABSENT : 0));
    if (absent) writePresence(writer, values);
  };
  if (dictionary?.size === 1) {
    begin(CONSTANT);
    width.write(writer, first);
    return writer.finish();
  }
  const plain = new ByteWriter();
  for (const value of present) width.write(plain, value);
  if (dictionary !== undefined) {
    const entries = new ByteWriter();
    for (const value of dictionary.keys()) width.write(entries, value);
    // One byte a row and the entries themselves, against the values in full.
    if (present.length + entries.length + 1 < plain.length) {
      begin(DICTIONARY);
      writer.byte(dictionary.size - 1);
      writer.raw(entries.finish());
      for (const value of present) writer.byte(dictionary.get(value) as number);
      return writer.finish();
    }
  }
  begin(PLAIN);
  writer.raw(plain.finish());
  return writer.finish();
}

function decode<K>(width: Width<K>, reader: ByteReader, rows: number): (K | undefined)[] {
  const mode = reader.byte();
  const kind = mode & ~SOME_ABSENT;
  const bitmap = (mode & SOME_ABSENT) === 0 ? undefined : reader.raw(Math.ceil(rows / 8));
  const has = (row: number): boolean =>
    bitmap === undefined || (((bitmap[row >> 3] as number) >> (row & 7)) & 1) === 1;
  const values = new Array<K | undefined>(rows).fill(undefined);
  if (kind === CONSTANT) {
    const value = width.read(reader);
    for (let row = 0; row < rows; row += 1) if (has(row)) values[row] = value;
  } else if (kind === DICTIONARY) {
    const entries: K[] = [];
    for (let left = reader.byte() + 1; left > 0; left -= 1) entries.push(width.read(reader));
    for (let row = 0; row < rows; row += 1) {
      if (!has(row)) continue;
      const value = entries[reader.byte()];
      if (value === undefined) throw new Malformed('a column names what its dictionary does not have');
      values[row] = value;
    }
  } else if (kind === PLAIN) {
    for (let row = 0; row < rows; row += 1) if (has(row)) values[row] = width.read(reader);
  } else throw new Malformed('a column has an unknown mode');
  if (reader.left !== 0) throw new Malformed('a column is longer than its rows');
  return values;
}

/** Whole numbers from 0 to 2^53 - 1; undefined where no row has a value (such a column is left out). */
export function encodeUints(values: readonly (number | undefined)[]): Uint8Array | undefined {
  return encode(UINT, values);
}

export function decodeUints(reader: ByteReader, rows: number): (number | undefined)[] {
  return decode(UINT, reader, rows);
}

/** Unsigned 64-bit integers. */
export function encodeWides(values: readonly (bigint | undefined)[]): Uint8Array | undefined {
  return encode(WIDE, values);
}

export function decodeWides(reader: ByteReader, rows: number): (bigint | undefined)[] {
  return decode(WIDE, reader, rows);
}
