import { MAX_INLINE_BYTES } from '../format/flags.ts';
import type { RowParts } from '../pages/event-row.ts';
import { RowRefusal, type StoredRow } from '../row/decode.ts';
import type { Queries, Query, QueryRow } from './queries.ts';
import { Fetched, type RowSource } from './row-source.ts';

const PAYLOAD_COLUMNS = ['arg', 'input', 'out_arg', 'output'] as const;

/** In SQLite's order of types a blob is greater than any number or text; asking for its type is slower. */
const isBlob = (column: string): string => `${column} >= x''`;

/** A payload column as one number: 0 none, a number in `blob`, or −1 − length of what stands in the row. */
const payloadNumber = (column: string): string =>
  `CASE WHEN ${isBlob(column)} THEN -1 - length(${column}) ELSE ${column} END`;

/** The 64-bit value comes in halves: a number for SQLite is a double for JavaScript. */
const SELECT = `SELECT seq, t, kind, parent, actor, handle, code, value >> 32, value & 4294967295, result, dur,
  flags, ${PAYLOAD_COLUMNS.map(payloadNumber).join(', ')}, more FROM event`;
const NUMBERS = 16;
const FIRST_PAYLOAD = 12;

/** All payloads in rows of a range, column by column, each as one value (see BlobReader for why). */
const BYTES = `SELECT ${PAYLOAD_COLUMNS.map(
  (column) => `CAST(group_concat(${column}, '') FILTER (WHERE ${isBlob(column)}) AS BLOB)`,
).join(', ')} FROM event`;

/** Rows of a file that is being written, or was cut while it was: through SQLite, which knows its `-wal`. */
export class SqlRows implements RowSource {
  readonly #queries: Queries;
  readonly #parts: RowParts;
  readonly #range: Query;
  readonly #rangeBytes: Query;

  constructor(queries: Queries, parts: RowParts) {
    this.#queries = queries;
    this.#parts = parts;
    this.#range = queries.prepare(`${SELECT} WHERE seq BETWEEN ? AND ? ORDER BY seq`);
    this.#rangeBytes = queries.prepare(`${BYTES} WHERE seq BETWEEN ? AND ?`);
  }

  close(): void {
    // The database is its owner's.
  }

  fetch(first: number, last: number): Fetched {
    const fetched = new Fetched(first, last);
    const [rows, inline] = this.#queries.atOnce(() => [
      this.#range.all(first, fetched.last),
      this.#rangeBytes.get(first, fetched.last) ?? [],
    ]);
    const bytes = new InlineBytes(inline);
    const read = (seq: number, i: number) => this.#read(rows[i] as QueryRow, seq, bytes);
    for (let i = 0; i < rows.length && !fetched.full; i += 1) fetched.add(read, i);
    if (!fetched.full) fetched.damage = 'it is missing';
    return fetched;
  }

  #read(row: QueryRow, seq: number, bytes: InlineBytes): StoredRow {
    for (let i = 0; i < NUMBERS; i += 1)
      if (!Number.isSafeInteger(row[i]))
        throw new RowRefusal('a column that holds numbers holds something else');
    const numbers = row as readonly number[];
    if (numbers[0] !== seq) throw new RowRefusal(`event ${numbers[0]} stands in its place`);
    const more = row[NUMBERS];
    if (typeof more !== 'string' && more !== 0) throw new RowRefusal('its further fields are not text');
    const handle = numbers[5] as number;
    return {
      seq,
      t: numbers[1] as number,
      kind: numbers[2] as number,
      parent: numbers[3] as number,
      actor: this.#parts.actor(numbers[4] as number),
      handle: handle === 0 ? undefined : this.#parts.handle(handle),
      code: numbers[6] as number,
      valueHigh: numbers[7] as number,
      valueLow: numbers[8] as number,
      result: numbers[9] as number,
      dur: numbers[10] as number,
      flags: numbers[11] as number,
      arg: this.#payload(numbers, 0, bytes),
      input: this.#payload(numbers, 1, bytes),
      outArg: this.#payload(numbers, 2, bytes),
      output: this.#payload(numbers, 3, bytes),
      more: more === 0 ? undefined : more,
    };
  }

  #payload(row: readonly number[], column: number, bytes: InlineBytes): Uint8Array | undefined {
    const number = row[FIRST_PAYLOAD + column] as number;
    if (number === 0) return undefined;
    return number > 0 ? this.#parts.payload(number) : bytes.take(column, -1 - number);
  }
}

/** The payloads that stand in the rows of a fetch, taken one after the other. */
class InlineBytes {
  readonly #columns: QueryRow;
  readonly #at = [0, 0, 0, 0];

  constructor(columns: QueryRow) {
    this.#columns = columns;
  }

  take(column: number, length: number): Uint8Array {
    if (length > MAX_INLINE_BYTES) throw new RowRefusal(`a payload of ${length} bytes stands in its row`);
    const from = this.#at[column] as number;
    this.#at[column] = from + length;
    const all = this.#columns[column];
    return all instanceof Uint8Array ? new Uint8Array(all.subarray(from, from + length)) : new Uint8Array(0);
  }
}
