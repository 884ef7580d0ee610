import type { TraceEvent } from '../../../engine/trace/event.ts';
import { MAX_PAYLOAD_BYTES } from '../format/flags.ts';
import { EventRowReader } from '../pages/event-row.ts';
import { columnsOf, integerOf } from '../pages/record.ts';
import { decodeEvent, RowRefusal } from '../row/decode.ts';
import { unpackPayload } from '../row/payload-pack.ts';
import type { Pages } from './pages.ts';
import { type Found, placedRecord } from './scan.ts';

export interface RecoveredRow {
  readonly event: TraceEvent;
  /** What of it is lost, in words. */
  readonly lost: string | undefined;
}

/** Reads events of a torn file, as far as what they refer to was found. */
export class RecoveredRows {
  readonly #pages: Pages;
  readonly #found: Found;
  readonly #rows: EventRowReader;
  /** What the row at hand refers to and was not found. */
  #lost: string[] = [];

  constructor(pages: Pages, found: Found) {
    this.#pages = pages;
    this.#found = found;
    this.#rows = new EventRowReader({
      actor: (id) => found.actors.get(id) ?? this.#missing('who did it') ?? {},
      handle: (id) => found.handles.get(id),
      payload: (id) => this.#blob(id) ?? this.#missing('a payload'),
    });
  }

  /** Undefined where the row is no event, or lacks what no event of its kind can be without. */
  read(seq: number): RecoveredRow | undefined {
    const record = placedRecord(this.#pages, this.#found.events.get(seq));
    if (record === undefined) return undefined;
    this.#lost = [];
    try {
      const event = decodeEvent(this.#rows.read(seq, record));
      return {
        event,
        lost: this.#lost.length === 0 ? undefined : `recover: lost ${this.#lost.join(' and ')}`,
      };
    } catch (error) {
      if (error instanceof RowRefusal) return undefined;
      throw error;
    }
  }

  #missing(what: string): undefined {
    this.#lost.push(what);
    return undefined;
  }

  #blob(id: number): Uint8Array | undefined {
    const record = placedRecord(this.#pages, this.#found.blobs.get(id));
    const [, sizeColumn, bytes] = (record === undefined ? undefined : columnsOf(record)) ?? [];
    const size = integerOf(sizeColumn);
    if (size === undefined || size > MAX_PAYLOAD_BYTES || bytes?.type !== 'blob') return undefined;
    return bytes.bytes.length === size ? bytes.bytes.slice() : unpackPayload(bytes.bytes, size);
  }
}
