import type { TraceEvent } from '../../../engine/trace/event.ts';
import { MAX_PAYLOAD_BYTES } from '../format/flags.ts';
import { decodeEvent, RowRefusal } from '../row/decode.ts';
import { unpackPayload } from '../row/payload-pack.ts';
import * as at from '../row/row.ts';
import type { Pages } from './pages.ts';
import { type Column, integerOf, textOf } from './record.ts';
import { cellAt, type Found } from './scan.ts';

export interface RecoveredRow {
  readonly event: TraceEvent;
  /** What of it is lost, in words. */
  readonly lost: string | undefined;
}

/** Reads events of a torn file, as far as what they refer to was found. */
export class RecoveredRows {
  readonly #pages: Pages;
  readonly #found: Found;

  constructor(pages: Pages, found: Found) {
    this.#pages = pages;
    this.#found = found;
  }

  /** Undefined where the row is no event, or lacks what no event of its kind can be without. */
  read(seq: number): RecoveredRow | undefined {
    const place = this.#found.events.get(seq);
    const columns = place === undefined ? undefined : cellAt(this.#pages, place)?.columns;
    if (columns === undefined) return undefined;
    try {
      return this.#decode(seq, columns);
    } catch (error) {
      if (error instanceof RowRefusal) return undefined;
      throw error;
    }
  }

  #decode(seq: number, columns: readonly Column[]): RecoveredRow {
    const lost: string[] = [];
    const actor = this.#found.actors.get(number(columns, at.ACTOR));
    if (actor === undefined) lost.push('who did it');
    const handle = number(columns, at.HANDLE);
    const value = columns[at.VALUE_AT];
    if (value?.type !== 'integer') throw new RowRefusal('its value is not a number');
    const more = columns[at.MORE];
    const payload = (column: number): Uint8Array | undefined => this.#payload(columns[column], lost);
    const event = decodeEvent({
      seq,
      t: number(columns, at.T),
      kind: number(columns, at.KIND),
      parent: number(columns, at.PARENT),
      actor: actor ?? {},
      handle: handle === 0 ? undefined : this.#found.handles.get(handle),
      code: number(columns, at.CODE),
      valueHigh: value.high,
      valueLow: value.low,
      result: number(columns, at.RESULT_AT),
      dur: number(columns, at.DUR),
      flags: number(columns, at.FLAGS),
      arg: payload(at.ARG),
      input: payload(at.INPUT),
      outArg: payload(at.OUT_ARG),
      output: payload(at.OUTPUT),
      more: more?.type === 'text' ? textOf(more) : undefined,
    });
    return { event, lost: lost.length === 0 ? undefined : `recover: lost ${lost.join(' and ')}` };
  }

  #payload(column: Column | undefined, lost: string[]): Uint8Array | undefined {
    if (column?.type === 'blob') return column.bytes.slice();
    const id = integerOf(column);
    if (id === undefined || id < 0) throw new RowRefusal('a payload is neither bytes nor a number');
    if (id === 0) return undefined;
    const bytes = this.#blob(id);
    if (bytes === undefined) lost.push('a payload');
    return bytes;
  }

  #blob(id: number): Uint8Array | undefined {
    const place = this.#found.blobs.get(id);
    const [, sizeColumn, bytes] =
      (place === undefined ? undefined : cellAt(this.#pages, place)?.columns) ?? [];
    const size = integerOf(sizeColumn);
    if (size === undefined || size > MAX_PAYLOAD_BYTES || bytes?.type !== 'blob') return undefined;
    return bytes.bytes.length === size ? bytes.bytes.slice() : unpackPayload(bytes.bytes, size);
  }
}

function number(columns: readonly Column[], index: number): number {
  const value = integerOf(columns[index]);
  if (value === undefined) throw new RowRefusal('a column that holds numbers holds something else');
  return value;
}
