import type { Handle } from '../../../engine/trace/handle.ts';
import { OPEN } from '../format/flags.ts';
import { type Gap, gapOf, type Note, noteOf } from '../format/notes.ts';
import { EVENT_COLUMNS } from '../format/schema.ts';
import {
  type Column,
  cellCount,
  columnsOf,
  integerOf,
  type RecordPlace,
  recordAt,
  textOf,
} from '../pages/record.ts';
import { actorIn, handleIn } from '../read/actors.ts';
import { readWord } from '../row/actor-ids.ts';
import type { StoredActor } from '../row/decode.ts';
import { FLAGS } from '../row/row.ts';
import type { Pages } from './pages.ts';
import { Places } from './places.ts';

/** More cells than any page has (at least four bytes each in 64 KiB). */
const CELLS = 0x4000;

/** Columns of a row of `checkpoint`. */
const CHECKPOINT = 11;

/** A row of `event` has 16 columns, a byte each in its head alone; one of `blob` at least its head and 8 bytes. */
const MIN_ROW_BYTES = 12;

/** What the intact pages of a trace hold. The small tables are read, of the large ones is known where. */
export interface Found {
  readonly events: Places;
  readonly blobs: Places;
  readonly actors: Map<number, StoredActor>;
  readonly handles: Map<number, Handle>;
  readonly meta: Map<string, string>;
  readonly notes: Note[];
  readonly gaps: Gap[];
  /** Of the first checkpoint, the one with which a flight recorder's trace starts. */
  checkpoint: number | undefined;
}

export function placedRecord(pages: Pages, place: number | undefined): RecordPlace | undefined {
  if (place === undefined) return undefined;
  const number = Math.floor(place / CELLS);
  const bytes = pages.read(number);
  return bytes === undefined ? undefined : recordAt(pages, { number, bytes }, place % CELLS);
}

/**
 * Goes through all pages. Which table a row is of is told by its shape: the tables of a trace all differ in the
 * number of columns, or in the types of some of them, and the page that says otherwise may be the one lost.
 */
export function scan(pages: Pages, progress: (page: number) => void): Found {
  const limit = Math.ceil((pages.count * pages.pageSize) / MIN_ROW_BYTES);
  const found: Found = {
    events: new Places(limit),
    blobs: new Places(limit),
    actors: new Map(),
    handles: new Map(),
    meta: new Map(),
    notes: [],
    gaps: [],
    checkpoint: undefined,
  };
  for (let number = 1; number <= pages.count; number += 1) {
    progress(number);
    const bytes = pages.read(number);
    if (bytes === undefined) continue;
    const page = { number, bytes };
    const count = cellCount(page);
    for (let index = 0; index < count; index += 1) {
      const record = recordAt(pages, page, index);
      const columns = record === undefined ? undefined : columnsOf(record);
      if (columns !== undefined) take(found, pages, record?.rowid, columns, number * CELLS + index);
    }
  }
  return found;
}

function take(
  found: Found,
  pages: Pages,
  rowid: number | undefined,
  columns: readonly Column[],
  place: number,
): void {
  if (rowid === undefined) {
    const [key, value] = [textOf(columns[0]), textOf(columns[1])];
    if (columns.length === 2 && key !== undefined && value !== undefined) found.meta.set(key, value);
    return;
  }
  const types = columns.map(({ type }) => type);
  switch (columns.length) {
    case EVENT_COLUMNS.length:
      takeEvent(found, pages, rowid, columns, place);
      return;
    case 3:
      if (types[1] === 'integer' && types[2] === 'blob') found.blobs.set(rowid, place);
      return;
    case CHECKPOINT:
      if (rowid === 1 && types[9] === 'blob' && types[10] === 'blob') found.checkpoint = place;
      return;
    case 9: {
      const actor = actorIn(columns.map(plain));
      if (actor !== undefined) found.actors.set(rowid, actor);
      return;
    }
    case 5: {
      if (types[1] === 'text') {
        const handle = handleIn(columns.map(plain));
        if (handle !== undefined) found.handles.set(rowid, handle);
        return;
      }
      const [, after, t, lost, reason] = columns.map(plain);
      const gap = types[4] === 'text' ? gapOf(after, t, lost, reason) : undefined;
      if (gap !== undefined) found.gaps.push(gap);
      return;
    }
    case 4: {
      const [, at, text, author] = columns.map(plain);
      const words = (value: unknown): unknown => (typeof value === 'string' ? readWord(value) : value);
      const note = noteOf(at, words(text), words(author));
      if (note !== undefined) found.notes.push(note);
      return;
    }
    default:
      return;
  }
}

/**
 * Where a crash left an older and a newer page that both hold an event, the one that had returned is the newer.
 */
function takeEvent(found: Found, pages: Pages, seq: number, columns: readonly Column[], place: number): void {
  const other = placedRecord(pages, found.events.get(seq));
  const open = (cells: readonly Column[] | undefined): boolean => {
    const flags = integerOf(cells?.[FLAGS]);
    return flags === undefined || (flags & OPEN) !== 0;
  };
  if (other === undefined || (open(columnsOf(other)) && !open(columns))) found.events.set(seq, place);
}

/** A column as SQLite would give it to JavaScript. */
export function plain(column: Column): unknown {
  if (column.type === 'null') return null;
  if (column.type === 'blob') return column.bytes;
  return column.type === 'text' ? textOf(column) : integerOf(column);
}
