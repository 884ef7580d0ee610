import type { Handle } from '../../../engine/trace/handle.ts';
import { MAX_INLINE_BYTES } from '../format/flags.ts';
import { EVENT_COLUMNS } from '../format/schema.ts';
import { RowRefusal, type StoredActor, type StoredRow } from '../row/decode.ts';
import * as at from '../row/row.ts';
import { cursor, u32, varint } from './bytes.ts';
import { FIRST_BLOB, NUMBER_BYTES, type RecordPlace, sizeOf } from './record.ts';

/** What rows of `event` refer to. */
export interface RowParts {
  actor(id: number): StoredActor;
  handle(id: number): Handle | undefined;
  /** A payload by its number in `blob`. */
  payload(id: number): Uint8Array | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const COLUMNS = EVENT_COLUMNS.length;
/** Serial types of the numbers 0 and 1, and of some lengths. */
const ZERO = 8;
const ONE = 9;
const ONE_BYTE = 1;
const FOUR_BYTES = 4;
const WIDE = 6;

/** Reads rows of `event` out of their records; one at a time, because it keeps where the columns are. */
export class EventRowReader {
  readonly #parts: RowParts;
  readonly #serial = new Int32Array(COLUMNS);
  readonly #offset = new Int32Array(COLUMNS);
  readonly #row: Mutable<StoredRow> = {
    seq: 0,
    t: 0,
    kind: 0,
    parent: 0,
    actor: {},
    handle: undefined,
    code: 0,
    valueHigh: 0,
    valueLow: 0,
    result: 0,
    dur: 0,
    flags: 0,
    arg: undefined,
    input: undefined,
    outArg: undefined,
    output: undefined,
    more: undefined,
  };

  constructor(parts: RowParts) {
    this.#parts = parts;
  }

  /**
   * The row, which is good until the next is read: most are looked at once. A {@link RowRefusal} where the record is
   * not one that a writer makes.
   */
  read(seq: number, record: RecordPlace): StoredRow {
    const { bytes } = record;
    const row = this.#row;
    this.#locate(record);
    const handle = this.#number(bytes, at.HANDLE);
    const wide = this.#serial[at.VALUE_AT] === WIDE;
    const value = wide ? 0 : this.#number(bytes, at.VALUE_AT);
    const offset = this.#offset[at.VALUE_AT] as number;
    row.seq = seq;
    row.t = this.#number(bytes, at.T);
    row.kind = this.#number(bytes, at.KIND);
    row.parent = this.#number(bytes, at.PARENT);
    row.actor = this.#parts.actor(this.#number(bytes, at.ACTOR));
    row.handle = handle === 0 ? undefined : this.#parts.handle(handle);
    row.code = this.#number(bytes, at.CODE);
    row.valueHigh = wide ? u32(bytes, offset) | 0 : Math.floor(value / 0x1_0000_0000);
    row.valueLow = wide ? u32(bytes, offset + 4) : value >>> 0;
    row.result = this.#number(bytes, at.RESULT_AT);
    row.dur = this.#number(bytes, at.DUR);
    row.flags = this.#number(bytes, at.FLAGS);
    row.arg = this.#payload(bytes, at.ARG);
    row.input = this.#payload(bytes, at.INPUT);
    row.outArg = this.#payload(bytes, at.OUT_ARG);
    row.output = this.#payload(bytes, at.OUTPUT);
    row.more = this.#text(bytes, at.MORE);
    return row;
  }

  /** Finds the columns: their types are in the head of the record, their values behind it. */
  #locate({ bytes, start, end }: RecordPlace): void {
    let body = start + varint(bytes, start);
    let next = cursor.at;
    const head = body;
    for (let column = 0; column < COLUMNS; column += 1) {
      let serial = bytes[next] as number;
      if (serial < 0x80) {
        next += 1;
      } else {
        serial = varint(bytes, next);
        next = cursor.at;
      }
      // One too large for its place gives a size that the record does not have.
      this.#serial[column] = serial;
      this.#offset[column] = body;
      body += sizeOf(serial);
    }
    if (next !== head || body !== end) throw new RowRefusal('its row is cut');
  }

  #number(bytes: Uint8Array, column: number): number {
    const serial = this.#serial[column] as number;
    if (serial === ZERO) return 0;
    if (serial === ONE) return 1;
    if (serial < 1 || serial > WIDE) throw new RowRefusal('a column that holds numbers holds something else');
    const start = this.#offset[column] as number;
    // Two's complement: the first byte carries the sign.
    let value = ((bytes[start] as number) << 24) >> 24;
    if (serial === ONE_BYTE) return value;
    const end = start + (NUMBER_BYTES[serial] as number);
    if (serial <= FOUR_BYTES) {
      for (let i = start + 1; i < end; i += 1) value = (value << 8) | (bytes[i] as number);
      return value;
    }
    for (let i = start + 1; i < end; i += 1) value = value * 0x100 + (bytes[i] as number);
    if (!Number.isSafeInteger(value)) throw new RowRefusal('a number in it is too large');
    return value;
  }

  #payload(bytes: Uint8Array, column: number): Uint8Array | undefined {
    const serial = this.#serial[column] as number;
    if (serial === ZERO) return undefined;
    const start = this.#offset[column] as number;
    if (serial >= FIRST_BLOB) {
      const length = (serial - FIRST_BLOB) / 2;
      if (!Number.isInteger(length) || length > MAX_INLINE_BYTES)
        throw new RowRefusal('a payload in it is text, or too long');
      const payload = new Uint8Array(length);
      for (let i = 0; i < length; i += 1) payload[i] = bytes[start + i] as number;
      return payload;
    }
    const id = this.#number(bytes, column);
    if (id < 0) throw new RowRefusal(`its payload has the number ${id}`);
    return id === 0 ? undefined : this.#parts.payload(id);
  }

  #text(bytes: Uint8Array, column: number): string | undefined {
    const serial = this.#serial[column] as number;
    if (serial === ZERO) return undefined;
    if (serial < FIRST_BLOB || serial % 2 === 0) throw new RowRefusal('its further fields are not text');
    const start = this.#offset[column] as number;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, sizeOf(serial)).toString();
  }
}
