import { cursor, u16, u32, varint } from './bytes.ts';

/** Pages of a database by number, from 1; undefined for one that is not whole. */
export interface PageReader {
  readonly pageSize: number;
  read(number: number): Uint8Array | undefined;
}

/** A page and its number, which tells the first one: it begins with the header of the file. */
export interface Page {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Where the record of a row stands: in its page, or put together from it and overflow pages. */
export interface RecordPlace {
  /** Undefined in a table without rowids. */
  readonly rowid: number | undefined;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A column of a record. Integers keep their 64 bits as halves: `high` is signed, `low` is not. */
export type Column =
  | { readonly type: 'null' }
  | { readonly type: 'integer'; readonly high: number; readonly low: number }
  | { readonly type: 'real' }
  | { readonly type: 'text' | 'blob'; readonly bytes: Uint8Array };

const LEAF_TABLE = 0x0d;
const LEAF_INDEX = 0x0a;
const INTERIOR_INDEX = 0x02;

/** Longest record that is read: a payload of an event and its frame. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Serial types from here on are blobs (even) and texts (odd) of half their distance in bytes. */
export const FIRST_BLOB = 12;
const REAL = 7;
/** Bytes of a number by its serial type; 8 and 9 are the numbers 0 and 1 themselves, 10 and 11 are not used. */
export const NUMBER_BYTES: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0];

/** The integer as a number; undefined where it is none, or not exact. */
export function integerOf(column: Column | undefined): number | undefined {
  if (column?.type !== 'integer') return undefined;
  const value = column.high * 0x1_0000_0000 + column.low;
  return Number.isSafeInteger(value) ? value : undefined;
}

export function textOf(column: Column | undefined): string | undefined {
  if (column?.type !== 'text') return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(column.bytes);
  } catch {
    return undefined;
  }
}

/** Number of cells of a page that may hold rows; 0 for all others. */
export function cellCount({ number, bytes }: Page): number {
  const at = headerAt(number);
  const type = bytes[at];
  if (type !== LEAF_TABLE && type !== LEAF_INDEX && type !== INTERIOR_INDEX) return 0;
  const count = u16(bytes, at + 3);
  return pointersAt(at, type) + 2 * count <= bytes.length ? count : 0;
}

/** The record in a cell; undefined where it is damaged, or an overflow page that it needs is lost. */
export function recordAt(pages: PageReader, page: Page, index: number): RecordPlace | undefined {
  const { bytes } = page;
  const header = headerAt(page.number);
  const type = bytes[header];
  const pointers = pointersAt(header, type);
  const cell = u16(bytes, pointers + 2 * index);
  if (cell < pointers) return undefined;
  const size = varint(bytes, type === INTERIOR_INDEX ? cell + 4 : cell);
  const rowid = type === LEAF_TABLE ? varint(bytes, cursor.at) : undefined;
  if (size > MAX_RECORD_BYTES || rowid === Number.POSITIVE_INFINITY) return undefined;
  const start = cursor.at;
  const most = type === LEAF_TABLE ? pages.pageSize - 35 : share(pages, 64);
  if (size <= most)
    return start + size <= bytes.length ? { rowid, bytes, start, end: start + size } : undefined;
  const whole = gather(pages, bytes, start, size, most);
  return whole === undefined ? undefined : { rowid, bytes: whole, start: 0, end: size };
}

/** The columns of a record (file format, section 2.1); undefined where it is damaged. */
export function columnsOf({ bytes, start, end }: RecordPlace): Column[] | undefined {
  const head = start + varint(bytes, start);
  if (head > end) return undefined;
  const columns: Column[] = [];
  let body = head;
  let at = cursor.at;
  while (at < head) {
    const serial = varint(bytes, at);
    at = cursor.at;
    const size = sizeOf(serial);
    if (body + size > end) return undefined;
    columns.push(readColumn(bytes, body, serial, size));
    body += size;
  }
  return at === head && body === end ? columns : undefined;
}

/** Bytes of a column by its serial type. */
export function sizeOf(serial: number): number {
  return serial < FIRST_BLOB ? (NUMBER_BYTES[serial] as number) : Math.floor((serial - FIRST_BLOB) / 2);
}

function readColumn(bytes: Uint8Array, at: number, serial: number, size: number): Column {
  if (serial === 0) return { type: 'null' };
  if (serial === REAL) return { type: 'real' };
  if (serial >= FIRST_BLOB)
    return { type: serial % 2 === 0 ? 'blob' : 'text', bytes: bytes.subarray(at, at + size) };
  if (serial > REAL) return { type: 'integer', high: 0, low: serial - 8 };
  // Two's complement: the first byte carries the sign.
  let high = (bytes[at] as number) >= 0x80 ? -1 : 0;
  let low = high >>> 0;
  for (let i = at; i < at + size; i += 1) {
    high = (high << 8) | (low >>> 24);
    low = ((low << 8) | (bytes[i] as number)) >>> 0;
  }
  return { type: 'integer', high, low };
}

/** Puts a record together from what stands in its page and its chain of overflow pages (section 1.6). */
function gather(
  pages: PageReader,
  page: Uint8Array,
  start: number,
  size: number,
  most: number,
): Uint8Array | undefined {
  const perPage = pages.pageSize - 4;
  const least = share(pages, 32);
  const fitted = least + ((size - least) % perPage);
  const local = fitted <= most ? fitted : least;
  if (start + local + 4 > page.length) return undefined;
  const whole = new Uint8Array(size);
  whole.set(page.subarray(start, start + local));
  let next = u32(page, start + local);
  for (let got = local; got < size; got += perPage) {
    const overflow = pages.read(next);
    if (overflow === undefined) return undefined;
    whole.set(overflow.subarray(4, 4 + Math.min(size - got, perPage)), got);
    next = u32(overflow, 0);
  }
  return whole;
}

/** The part of a page, in 255ths, that a cell may take of it. */
function share({ pageSize }: PageReader, parts: number): number {
  return Math.floor(((pageSize - 12) * parts) / 255) - 23;
}

/** Page 1 begins with the header of the file. */
function headerAt(number: number): number {
  return number === 1 ? 100 : 0;
}

/** Where the pointers to the cells begin: an inner page has its right-most child before them. */
function pointersAt(header: number, type: number | undefined): number {
  return header + (type === INTERIOR_INDEX ? 12 : 8);
}
