import { RowRefusal, type StoredRow } from '../row/decode.ts';

/** Rows of one fetch: enough that its start costs nothing, few enough for pages of a view. */
export const FETCH_ROWS = 1024;

/** A fetch ends early when its rows hold that much payload. */
export const FETCH_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** Where rows of `event` come from. */
export interface RowSource {
  /** The rows from `first` on, at least one and none behind `last`. Throws a {@link RowDamage}. */
  fetch(first: number, last: number): StoredRow[];
  close(): void;
}

/** A row that is damaged or missing. */
export class RowDamage extends RowRefusal {
  readonly seq: number;

  constructor(seq: number, what: string) {
    super(what);
    this.seq = seq;
  }
}

/** Collects rows until a fetch has enough; damage gets the seq of its row. */
export class Fetched {
  readonly rows: StoredRow[] = [];
  readonly #first: number;
  readonly #last: number;
  #payload = 0;

  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = Math.min(last, first + FETCH_ROWS - 1);
  }

  /** Seq of the last row that may come. */
  get last(): number {
    return this.#last;
  }

  /** Seq of the row that is due. */
  get next(): number {
    return this.#first + this.rows.length;
  }

  get full(): boolean {
    return this.next > this.#last || this.#payload > FETCH_PAYLOAD_BYTES;
  }

  add(read: (seq: number) => StoredRow): void {
    const seq = this.next;
    try {
      const row = read(seq);
      const { arg, input, outArg, output } = row;
      this.#payload +=
        (arg?.length ?? 0) + (input?.length ?? 0) + (outArg?.length ?? 0) + (output?.length ?? 0);
      this.rows.push(row);
    } catch (error) {
      throw error instanceof RowRefusal ? new RowDamage(seq, error.message) : error;
    }
  }
}
