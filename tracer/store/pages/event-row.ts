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

const COLUMNS = EVENT_COLUMNS.length;
/** Serial types of the numbers 0 and 1, and of one of 64 bits. */
const ZERO = 8;
const ONE = 9;
const WIDE = 6;

/** Reads rows of `event` out of their records; one at a time, because it keeps where the columns are. */
export class EventRowReader {
  readonly #parts: RowParts;
  readonly #serial = new Float64Array(COLUMNS);
  readonly #offset = new Int32Array(COLUMNS);

  constructor(parts: RowParts) {
    this.#parts = parts;
  }

  /** The row; a {@link RowRefusal} where the record is not one that a writer makes. */
  read(seq: number, record: RecordPlace): StoredRow {
    const { bytes } = record;
    this.#locate(record);
    const handle = this.#number(bytes, at.HANDLE);
    const wide = this.#serial[at.VALUE_AT] === WIDE;
    const value = wide ? 0 : this.#number(bytes, at.VALUE_AT);
    const offset = this.#offset[at.VALUE_AT] as number;
    return {
      seq,
      t: this.#number(bytes, at.T),
      kind: this.#number(bytes, at.KIND),
      parent: this.#number(bytes, at.PARENT),
      actor: this.#parts.actor(this.#number(bytes, at.ACTOR)),
      handle: handle === 0 ? undefined : this.#parts.handle(handle),
      code: this.#number(bytes, at.CODE),
      valueHigh: wide ? u32(bytes, offset) | 0 : Math.floor(value / 0x1_0000_0000),
      valueLow: wide ? u32(bytes, offset + 4) : value >>> 0,
      result: this.#number(bytes, at.RESULT_AT),
      dur: this.#number(bytes, at.DUR),
      flags: this.#number(bytes, at.FLAGS),
      arg: this.#payload(bytes, at.ARG),
      input: this.#payload(bytes, at.INPUT),
      outArg: this.#payload(bytes, at.OUT_ARG),
      output: this.#payload(bytes, at.OUTPUT),
      more: this.#text(bytes, at.MORE),
    };
  }

  /** Finds the columns: their types are in the head of the record, their values behind it. */
  #locate({ bytes, start, end }: RecordPlace): void {
    let body = start + varint(bytes, start);
    let next = cursor.at;
    const head = body;
    for (let column = 0; column < COLUMNS; column += 1) {
      const serial = varint(bytes, next);
      next = cursor.at;
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
    const end = start + (NUMBER_BYTES[serial] as number);
    // Two's complement: the first byte carries the sign.
    let value = ((bytes[start] as number) << 24) >> 24;
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
      return bytes.slice(start, start + length);
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
