import { MAX_PAYLOAD_BYTES } from '../format/flags.ts';
import { RowRefusal } from '../row/decode.ts';
import { unpackPayload } from '../row/payload-pack.ts';
import type { Queries, Query } from './queries.ts';

/** Decoded payloads that are kept: what is interned is wanted often. */
const CACHE_BYTES = 32 * 1024 * 1024;
/** Counted for each beside its bytes. */
const ENTRY_BYTES = 100;
/** Rows of one fetch; with the longest payloads that is still bounded by {@link FETCH_BYTES}. */
const FETCH_ROWS = 512;
/** Where what was wanted before does not stand right before them: events of a view refer to rows far apart. */
const FETCH_FEW_ROWS = 16;
const FETCH_BYTES = 4 * 1024 * 1024;

/**
 * Payloads by their number in `blob`. A blob that comes out of SQLite as a value of its own costs more than the
 * rest of its event; so rows are fetched in runs, all bytes of a run as one value.
 */
export class BlobReader {
  readonly #sizes: Query;
  readonly #bytes: Query;
  #young = new Map<number, Uint8Array>();
  #old = new Map<number, Uint8Array>();
  #youngBytes = 0;
  /** The row behind those of the last fetch. */
  #next = 1;

  constructor(queries: Queries) {
    this.#sizes = queries.prepare(
      'SELECT id, size, length(bytes), typeof(bytes) FROM blob WHERE id BETWEEN ? AND ? ORDER BY id',
    );
    this.#bytes = queries.prepare(
      "SELECT CAST(group_concat(bytes, '') AS BLOB) FROM blob WHERE id BETWEEN ? AND ?",
    );
  }

  /** Throws a {@link RowRefusal} where there is no such payload. */
  get(id: number): Uint8Array {
    const known = this.#young.get(id) ?? this.#promote(id);
    if (known !== undefined) return known;
    this.#fetch(id);
    const bytes = this.#young.get(id) ?? this.#old.get(id);
    if (bytes === undefined) throw new RowRefusal(`its payload ${id} is missing`);
    return bytes;
  }

  /** Reads `id` and what follows it: payloads have their numbers in the order of the events. */
  #fetch(id: number): void {
    const wanted = id === this.#next ? FETCH_ROWS : FETCH_FEW_ROWS;
    const rows = this.#sizes.all(id, id + wanted - 1) as unknown as [number, number, number, string][];
    let count = 0;
    let total = 0;
    for (const [, size, length, type] of rows) {
      const good = type === 'blob' && size >= length && size <= MAX_PAYLOAD_BYTES;
      if (!good || (count > 0 && total + size > FETCH_BYTES)) break;
      total += size;
      count += 1;
    }
    const last = rows[count - 1];
    if (last === undefined || rows[0]?.[0] !== id)
      throw new RowRefusal(`its payload ${id} is missing or damaged`);
    this.#next = last[0] + 1;
    const all = this.#bytes.get(id, last[0])?.[0] as Uint8Array | null | undefined;
    let at = 0;
    for (const [number, size, length] of rows.slice(0, count)) {
      const stored = all?.subarray(at, at + length) ?? new Uint8Array(0);
      at += length;
      const bytes = length === size ? new Uint8Array(stored) : unpackPayload(stored, size);
      if (bytes !== undefined && bytes.length === size) this.#remember(number, bytes);
    }
  }

  #promote(id: number): Uint8Array | undefined {
    const bytes = this.#old.get(id);
    if (bytes !== undefined) this.#remember(id, bytes);
    return bytes;
  }

  #remember(id: number, bytes: Uint8Array): void {
    this.#young.set(id, bytes);
    this.#youngBytes += bytes.length + ENTRY_BYTES;
    if (this.#youngBytes < CACHE_BYTES / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}
