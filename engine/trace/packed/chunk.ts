import { EVENT_KINDS, type EventKind, type TraceEvent } from '../event.ts';
import { type Seq, type TimeNs, timeNs } from '../position.ts';
import { ByteReader, ByteWriter, Malformed } from './bytes.ts';
import { decodeUints, decodeWides, encodeUints, encodeWides } from './column.ts';
import { COMMON_FIELDS, columnNumber, columnOfNumber, KIND_FIELDS, type PackedField } from './fields.ts';
import { PayloadTable, readPayloads, readTexts, TextTable } from './tables.ts';
import type { ReadTables, WriteTables } from './value.ts';

/** Events a chunk: enough for columns to compress, few enough to send and decode for one screen. */
export const CHUNK_EVENTS = 4096;

function encodeField(
  field: PackedField,
  events: readonly TraceEvent[],
  tables: WriteTables,
): Uint8Array | undefined {
  const { type } = field;
  if (type.wide) {
    return encodeWides(
      events.map((event) => {
        const value = field.get(event);
        return value === undefined ? undefined : type.pack(value);
      }),
    );
  }
  return encodeUints(
    events.map((event) => {
      const value = field.get(event);
      return value === undefined ? undefined : type.pack(value, tables);
    }),
  );
}

interface NumberedColumn {
  readonly number: number;
  readonly bytes: Uint8Array;
}

function encodeFields(
  kind: EventKind | undefined,
  events: readonly TraceEvent[],
  tables: WriteTables,
): NumberedColumn[] {
  const fields = kind === undefined ? COMMON_FIELDS : KIND_FIELDS[kind];
  return fields.flatMap((field, index) => {
    const bytes = encodeField(field, events, tables);
    return bytes === undefined ? [] : [{ number: columnNumber(kind, index), bytes }];
  });
}

function writeSized(writer: ByteWriter, bytes: Uint8Array | undefined): void {
  writer.uint(bytes?.length ?? 0);
  if (bytes !== undefined) writer.raw(bytes);
}

/**
 * Packs some events that follow each other (at least one; numbers dense, times never decreasing): first number,
 * kinds, times, parents, then the tables and columns that are not empty. Decodes without any other chunk.
 */
export function encodeChunk(events: readonly TraceEvent[]): Uint8Array {
  const first = events[0];
  if (first === undefined) throw new RangeError('a chunk has at least one event');
  const writer = new ByteWriter();
  writer.uint(first.seq);
  writer.uint(events.length);
  for (const event of events) writer.byte(EVENT_KINDS.indexOf(event.kind));
  let before = 0;
  const deltas = events.map((event, index) => {
    if (event.seq !== first.seq + index) throw new RangeError(`event ${event.seq} is out of order`);
    const delta = event.t - before;
    if (delta < 0) throw new RangeError(`event ${event.seq} is before the event before it`);
    before = event.t;
    return delta;
  });
  writeSized(writer, encodeUints(deltas));
  const parents = events.map(({ seq, parent }) => {
    if (parent !== undefined && parent >= seq) throw new RangeError(`event ${seq} has a later parent`);
    return parent === undefined ? undefined : seq - parent;
  });
  writeSized(writer, encodeUints(parents));

  const tables = { texts: new TextTable(), payloads: new PayloadTable() };
  const columns = encodeFields(undefined, events, tables);
  for (const kind of EVENT_KINDS) {
    const ofKind = events.filter((event) => event.kind === kind);
    if (ofKind.length > 0) columns.push(...encodeFields(kind, ofKind, tables));
  }
  tables.texts.write(writer);
  tables.payloads.write(writer);
  writer.uint(columns.length);
  for (const column of columns) {
    writer.uint(column.number);
    writeSized(writer, column.bytes);
  }
  return writer.finish();
}

function readSized(reader: ByteReader): ByteReader | undefined {
  const length = reader.uint();
  if (length > reader.left) throw new Malformed('a column is longer than the data');
  if (length === 0) return undefined;
  const column = new ByteReader(reader.bytes, reader.at, reader.at + length);
  reader.at += length;
  return column;
}

function decodeField(
  field: PackedField,
  reader: ByteReader,
  events: readonly TraceEvent[],
  tables: ReadTables,
): void {
  const { type } = field;
  if (type.wide) {
    for (const [row, code] of decodeWides(reader, events.length).entries())
      if (code !== undefined) field.set(events[row] as TraceEvent, type.unpack(code));
    return;
  }
  const known = new Map<number, unknown>();
  const codes = decodeUints(reader, events.length);
  for (let row = 0; row < codes.length; row += 1) {
    const code = codes[row];
    if (code === undefined) continue;
    let value = type.shared ? known.get(code) : undefined;
    if (value === undefined) {
      value = type.unpack(code, tables);
      if (type.shared) known.set(code, value);
    }
    field.set(events[row] as TraceEvent, value);
  }
}

function requireFields(fields: readonly PackedField[], events: readonly TraceEvent[]): void {
  for (const field of fields) {
    if (!field.required) continue;
    for (const event of events)
      if (field.get(event) === undefined) throw new Malformed(`event ${event.seq} lacks a field`);
  }
}

/** The events with number, kind, time and parent alone. */
function decodeFrames(reader: ByteReader): TraceEvent[] {
  const first = reader.uint();
  const kinds = reader.raw(reader.count());
  if (first < 1 || kinds.length < 1 || !Number.isSafeInteger(first + kinds.length))
    throw new Malformed('a chunk has no events');
  const times = readSized(reader);
  const parents = readSized(reader);
  if (times === undefined) throw new Malformed('a chunk has no times');
  const deltas = decodeUints(times, kinds.length);
  const distances = parents === undefined ? [] : decodeUints(parents, kinds.length);
  let t: TimeNs = timeNs(0);
  return Array.from(kinds, (number, row) => {
    const kind = EVENT_KINDS[number];
    const delta = deltas[row];
    if (kind === undefined || delta === undefined || !Number.isSafeInteger(t + delta))
      throw new Malformed('an event has no kind or no time');
    t = timeNs(t + delta);
    const seq = (first + row) as Seq;
    const distance = distances[row];
    if (distance !== undefined && (distance < 1 || distance >= seq))
      throw new Malformed('an event has a parent that is no earlier event');
    const frame = distance === undefined ? { kind, seq, t } : { kind, seq, t, parent: seq - distance };
    // The columns that follow fill the rest in; requireFields sees to it that nothing needed is missing.
    return frame as TraceEvent;
  });
}

/** Undoes {@link encodeChunk}; throws {@link Malformed} on any bytes that it did not write. Payloads are views. */
export function decodeChunk(bytes: Uint8Array): TraceEvent[] {
  const reader = new ByteReader(bytes);
  const events = decodeFrames(reader);
  const ofKind = new Map(EVENT_KINDS.map((kind) => [kind, events.filter((event) => event.kind === kind)]));
  const tables = { texts: readTexts(reader), payloads: readPayloads(reader) };
  let last = -1;
  for (let left = reader.count(); left > 0; left -= 1) {
    const number = reader.uint();
    const column = columnOfNumber(number);
    const values = readSized(reader);
    if (column === undefined) throw new Malformed('a column is of a newer version');
    if (number <= last || values === undefined) throw new Malformed('columns are out of order or empty');
    last = number;
    const rows = column.kind === undefined ? events : ofKind.get(column.kind);
    decodeField(column.field, values, rows ?? [], tables);
  }
  if (reader.left !== 0) throw new Malformed('a chunk is longer than its columns');
  requireFields(COMMON_FIELDS, events);
  for (const [kind, rows] of ofKind) requireFields(KIND_FIELDS[kind], rows);
  for (const event of ofKind.get('intercept') ?? [])
    if (event.vp === undefined) throw new Malformed(`event ${event.seq} lacks its VP`);
  return events;
}
