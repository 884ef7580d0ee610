import type { Pages } from './pages.ts';

/** A column of a record. Integers keep their 64 bits as halves: `high` is signed, `low` is not. */
export type Column =
  | { readonly type: 'null' }
  | { readonly type: 'integer'; readonly high: number; readonly low: number }
  | { readonly type: 'real' }
  | { readonly type: 'text' | 'blob'; readonly bytes: Uint8Array };

/** A row of a table with a rowid, or (rowid undefined) of one without. */
export interface Cell {
  readonly rowid: number | undefined;
  readonly columns: readonly Column[];
}

const LEAF_TABLE = 0x0d;
const LEAF_INDEX = 0x0a;
const INTERIOR_INDEX = 0x02;

/** Longest record that is read: a payload of an event and its frame. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;

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
export function cellCount(page: Uint8Array, number: number): number {
  const at = headerAt(number);
  const type = page[at];
  if (type !== LEAF_TABLE && type !== LEAF_INDEX && type !== INTERIOR_INDEX) return 0;
  const count = u16(page, at + 3);
  const pointers = at + (type === INTERIOR_INDEX ? 12 : 8);
  return pointers + 2 * count <= page.length ? count : 0;
}

/** The row in a cell; undefined where it is damaged, or an overflow page that it needs is lost. */
export function readCell(pages: Pages, number: number, index: number): Cell | undefined {
  const page = pages.read(number);
  if (page === undefined || index >= cellCount(page, number)) return undefined;
  const at = headerAt(number);
  const type = page[at];
  const pointers = at + (type === INTERIOR_INDEX ? 12 : 8);
  const cursor = { at: u16(page, pointers + 2 * index) };
  if (cursor.at < pointers) return undefined;
  if (type === INTERIOR_INDEX) cursor.at += 4;
  const size = varint(page, cursor);
  const rowid = type === LEAF_TABLE ? varint(page, cursor) : undefined;
  if (size === undefined || size > MAX_RECORD_BYTES || (type === LEAF_TABLE && rowid === undefined))
    return undefined;
  const payload = readPayload(pages, page, cursor.at, size, type === LEAF_TABLE);
  const columns = payload === undefined ? undefined : readRecord(payload);
  return columns === undefined ? undefined : { rowid, columns };
}

/** How much of a payload stands in the page, and where the rest is (file format, section 1.6). */
function readPayload(
  pages: Pages,
  page: Uint8Array,
  at: number,
  size: number,
  table: boolean,
): Uint8Array | undefined {
  const usable = pages.pageSize;
  const most = table ? usable - 35 : ((((usable - 12) * 64) / 255) | 0) - 23;
  if (size <= most) return at + size <= page.length ? page.subarray(at, at + size) : undefined;
  const least = ((((usable - 12) * 32) / 255) | 0) - 23;
  const fitted = least + ((size - least) % (usable - 4));
  const local = fitted <= most ? fitted : least;
  if (at + local + 4 > page.length) return undefined;
  const payload = new Uint8Array(size);
  payload.set(page.subarray(at, at + local));
  let next = u32(page, at + local);
  for (let got = local; got < size; ) {
    const overflow = pages.read(next);
    if (overflow === undefined) return undefined;
    const part = Math.min(size - got, usable - 4);
    payload.set(overflow.subarray(4, 4 + part), got);
    got += part;
    next = u32(overflow, 0);
  }
  return payload;
}

/** Bytes of an integer by its serial type. */
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];

/** The columns of a record (file format, section 2.1). */
function readRecord(payload: Uint8Array): Column[] | undefined {
  const cursor = { at: 0 };
  const headerSize = varint(payload, cursor);
  if (headerSize === undefined || headerSize > payload.length) return undefined;
  const columns: Column[] = [];
  let body = headerSize;
  while (cursor.at < headerSize) {
    const serial = varint(payload, cursor);
    if (serial === undefined) return undefined;
    const size = bytesOf(serial);
    if (size === undefined || body + size > payload.length) return undefined;
    columns.push(readColumn(payload, body, serial, size));
    body += size;
  }
  return cursor.at === headerSize && body === payload.length ? columns : undefined;
}

function bytesOf(serial: number): number | undefined {
  if (serial >= 12) return Math.floor((serial - 12) / 2);
  if (serial === 7) return 8;
  return serial < 7 ? INTEGER_BYTES[serial] : serial < 10 ? 0 : undefined;
}

function readColumn(payload: Uint8Array, at: number, serial: number, size: number): Column {
  if (serial === 0) return { type: 'null' };
  if (serial === 7) return { type: 'real' };
  if (serial >= 12)
    return { type: serial % 2 === 0 ? 'blob' : 'text', bytes: payload.subarray(at, at + size) };
  if (serial >= 8) return { type: 'integer', high: 0, low: serial - 8 };
  // Big-endian two's complement: the first byte carries the sign.
  let high = (payload[at] as number) >= 0x80 ? -1 : 0;
  let low = high >>> 0;
  for (let i = at; i < at + size; i += 1) {
    high = (high << 8) | (low >>> 24);
    low = ((low << 8) | (payload[i] as number)) >>> 0;
  }
  return { type: 'integer', high, low };
}

/** Page 1 begins with the header of the file. */
function headerAt(number: number): number {
  return number === 1 ? 100 : 0;
}

/** Sizes, rowids and serial types: up to nine bytes; undefined beyond 2^53. */
function varint(bytes: Uint8Array, cursor: { at: number }): number | undefined {
  let value = 0;
  for (let i = 0; i < 8; i += 1) {
    const byte = bytes[cursor.at];
    if (byte === undefined) return undefined;
    cursor.at += 1;
    value = value * 0x80 + (byte & 0x7f);
    if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
  }
  return undefined;
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}
