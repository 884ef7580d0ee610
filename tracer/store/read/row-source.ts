import type { TraceEvent } from '../../../engine/trace/event.ts';
import { decodeEvent, RowRefusal, type StoredRow } from '../row/decode.ts';

/** Rows of one fetch: enough that its start costs nothing, few enough for pages of a view. */
export const FETCH_ROWS = 1024;

/** A fetch ends early when its rows hold that much payload. */
export const FETCH_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** Where the events in rows of `event` come from. */
export interface RowSource {
  /** Those from `first` on, none behind `last`, up to the first that is damaged; at least one where none is. */
  fetch(first: number, last: number): Fetched;
  close(): void;
}

/** Collects events until a fetch has enough, or a row is damaged or missing. */
export class Fetched {
  readonly events: TraceEvent[] = [];
  /** What is wrong with the row behind the events. */
  damage: string | undefined;
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
    return this.#first + this.events.length;
  }

  get full(): boolean {
    return this.damage !== undefined || this.next > this.#last || this.#payload > FETCH_PAYLOAD_BYTES;
  }

  /** Takes the next row, which the source reads as number `index` of what it has. */
  add(read: (seq: number, index: number) => StoredRow, index: number): void {
    try {
      const row = read(this.next, index);
      const { arg, input, outArg, output } = row;
      this.#payload +=
        (arg?.length ?? 0) + (input?.length ?? 0) + (outArg?.length ?? 0) + (output?.length ?? 0);
      this.events.push(decodeEvent(row));
    } catch (error) {
      if (!(error instanceof RowRefusal)) throw error;
      this.damage = error.message;
    }
  }
}
