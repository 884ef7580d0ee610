import type { TraceEvent } from '../../../engine/trace/event.ts';
import { MAX_INLINE_BYTES } from '../format/flags.ts';
import { problem, TraceFileError } from '../problem.ts';
import { decodeEvent, RowRefusal } from '../row/decode.ts';
import { type Database, type Statement, sqliteCode } from '../sqlite.ts';
import { ActorReader } from './actors.ts';
import { BlobReader } from './payloads.ts';

/** Events of one fetch: enough that a statement's start costs nothing, few enough for small pages and memory. */
const CHUNK = 1024;

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

/** All payloads in rows of a range, column by column, each as one value (see {@link BlobReader} for why). */
const BYTES = `SELECT ${PAYLOAD_COLUMNS.map(
  (column) => `CAST(group_concat(${column}, '') FILTER (WHERE ${isBlob(column)}) AS BLOB)`,
).join(', ')} FROM event`;

type RawRow = readonly unknown[];

/** Reads events out of rows. Whatever the file holds, what comes out is a valid event or a {@link TraceFileError}. */
export class RowReader {
  readonly actors: ActorReader;
  readonly #path: string;
  readonly #db: Database;
  readonly #blobs: BlobReader;
  readonly #range: Statement;
  readonly #rangeBytes: Statement;

  constructor(path: string, db: Database) {
    this.#path = path;
    this.#db = db;
    this.actors = new ActorReader(db);
    this.#blobs = new BlobReader(db);
    this.#range = db.prepare(`${SELECT} WHERE seq BETWEEN ? AND ? ORDER BY seq`).raw();
    this.#rangeBytes = db.prepare(`${BYTES} WHERE seq BETWEEN ? AND ?`).raw();
  }

  /** Events `from` … `to` in order. */
  *events(from: number, to: number): Generator<TraceEvent, void, undefined> {
    for (let first = from; first <= to; first += CHUNK) {
      const last = Math.min(to, first + CHUNK - 1);
      yield* this.#chunk(first, last);
    }
  }

  *#chunk(first: number, last: number): Generator<TraceEvent, void, undefined> {
    // One transaction, so that both statements see the same rows while somebody writes.
    const [rows, bytes] = this.run(
      this.#db.transaction((): [RawRow[], (Uint8Array | null)[]] => [
        this.#range.all(first, last) as RawRow[],
        this.#rangeBytes.get(first, last) as (Uint8Array | null)[],
      ]),
    );
    if (rows.length !== last - first + 1) throw this.#corrupt(first, `events up to ${last} are missing`);
    const at = [0, 0, 0, 0];
    for (let i = 0; i < rows.length; i += 1) yield this.#event(rows[i] as RawRow, first + i, bytes, at);
  }

  #event(row: RawRow, seq: number, bytes: readonly (Uint8Array | null)[], at: number[]): TraceEvent {
    try {
      for (let i = 0; i < NUMBERS; i += 1)
        if (!Number.isSafeInteger(row[i]))
          throw new RowRefusal('a column that holds numbers holds something else');
      const numbers = row as readonly number[];
      if (numbers[0] !== seq) throw new RowRefusal(`event ${numbers[0]} stands in its place`);
      const more = row[NUMBERS];
      if (typeof more !== 'string' && more !== 0) throw new RowRefusal('its further fields are not text');
      const handle = numbers[5] as number;
      return decodeEvent({
        seq,
        t: numbers[1] as number,
        kind: numbers[2] as number,
        parent: numbers[3] as number,
        actor: this.actors.actor(numbers[4] as number),
        handle: handle === 0 ? undefined : this.actors.handle(handle),
        code: numbers[6] as number,
        valueHigh: numbers[7] as number,
        valueLow: numbers[8] as number,
        result: numbers[9] as number,
        dur: numbers[10] as number,
        flags: numbers[11] as number,
        arg: this.#payload(numbers, 0, bytes, at),
        input: this.#payload(numbers, 1, bytes, at),
        outArg: this.#payload(numbers, 2, bytes, at),
        output: this.#payload(numbers, 3, bytes, at),
        more: more === 0 ? undefined : more,
      });
    } catch (error) {
      if (error instanceof RowRefusal) throw this.#corrupt(seq, error.message);
      throw error;
    }
  }

  #payload(
    row: readonly number[],
    column: number,
    bytes: readonly (Uint8Array | null)[],
    at: number[],
  ): Uint8Array | undefined {
    const number = row[FIRST_PAYLOAD + column] as number;
    if (number === 0) return undefined;
    if (number > 0) return this.#blobs.get(number);
    const length = -1 - number;
    if (length > MAX_INLINE_BYTES) throw new RowRefusal(`a payload of ${length} bytes stands in its row`);
    const from = at[column] as number;
    at[column] = from + length;
    const stored = bytes[column];
    if (stored === null || stored === undefined) return new Uint8Array(0);
    return new Uint8Array(stored.subarray(from, from + length));
  }

  #corrupt(seq: number, what: string): TraceFileError {
    return new TraceFileError(
      problem(
        'corrupt',
        `${this.#path}: event ${seq} is damaged: ${what}; hvrewind recover saves the others`,
      ),
    );
  }

  /** Runs a query; what SQLite finds wrong with the file becomes a {@link TraceFileError}. */
  run<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      const code = sqliteCode(error);
      if (code === undefined) throw error;
      throw new TraceFileError(
        problem('corrupt', `${this.#path}: is damaged (${code}); hvrewind recover saves what is intact`),
      );
    }
  }
}
