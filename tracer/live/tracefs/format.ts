import type { PageLayout } from './page.ts';

/** A field of an event as its format file declares it. */
export interface EventField {
  readonly name: string;
  /** The C declaration without the name: `unsigned long`, `__data_loc char[]`. */
  readonly type: string;
  /** In bytes from the start of the record. */
  readonly offset: number;
  /** In bytes; of an array, all of it. */
  readonly size: number;
  readonly signed: boolean;
  /** Elements of a fixed array; undefined for a single value. */
  readonly count?: number;
}

/** An event as `events/SYSTEM/NAME/format` describes it. */
export interface EventFormat {
  readonly name: string;
  /** The number that its records begin with. */
  readonly id: number;
  readonly fields: readonly EventField[];
}

const FIELD = /^\s*field:(?<declaration>[^;]+);\s*offset:(?<offset>\d+);\s*size:(?<size>\d+);/;

function parseField(line: string): EventField | undefined {
  const { declaration = '', offset, size } = FIELD.exec(line)?.groups ?? {};
  const words = /^(?<type>.*?[\s*])(?<name>\w+)(?<array>\[[^\]]*\])?$/.exec(declaration)?.groups;
  if (words === undefined) return undefined;
  const { type = '', name = '', array } = words;
  const count = array === undefined ? undefined : Number(/^\[(\d+)\]$/.exec(array)?.[1] ?? 0);
  return {
    name,
    type: type.trim(),
    offset: Number(offset),
    size: Number(size),
    signed: /signed:1;/.test(line),
    ...(count === undefined ? {} : { count }),
  };
}

/** Reads a format file (Linux kernel/trace/trace_events.c, f_show); undefined where it has no name or number. */
export function parseFormat(text: string): EventFormat | undefined {
  const name = /^name: (?<name>\S+)$/m.exec(text)?.groups?.name;
  const id = /^ID: (?<id>\d+)$/m.exec(text)?.groups?.id;
  if (name === undefined || id === undefined) return undefined;
  const fields = text.split('\n').map(parseField);
  return { name, id: Number(id), fields: fields.filter((field) => field !== undefined) };
}

/** The layout of a page, of `events/header_page`; undefined where it is not one. */
export function parsePageLayout(text: string): PageLayout | undefined {
  const fields = text.split('\n').map(parseField);
  const commit = fields.find((field) => field?.name === 'commit');
  const data = fields.find((field) => field?.name === 'data');
  if (commit === undefined || data === undefined) return undefined;
  return { commitAt: commit.offset, commitBytes: commit.size, dataAt: data.offset };
}

/** Reads one field of a record that begins at `at` and is `length` bytes long; undefined where it is cut off. */
export type FieldReader = (view: DataView, at: number, length: number) => bigint | undefined;

/** A reader of the field `name`, element `index` of an array; undefined where the event has no such field. */
export function fieldReader(format: EventFormat, name: string, index = 0): FieldReader | undefined {
  const field = format.fields.find((candidate) => candidate.name === name);
  if (field === undefined) return undefined;
  const { count = 1, signed } = field;
  const size = count === 0 ? field.size : field.size / count;
  const offset = field.offset + index * size;
  if (index >= Math.max(count, 1)) return undefined;
  const read = integerReader(size, signed);
  if (read === undefined) return undefined;
  return (view, at, length) => (offset + size > length ? undefined : read(view, at + offset));
}

function integerReader(size: number, signed: boolean): ((view: DataView, at: number) => bigint) | undefined {
  switch (size) {
    case 1:
      return (view, at) => BigInt(signed ? view.getInt8(at) : view.getUint8(at));
    case 2:
      return (view, at) => BigInt(signed ? view.getInt16(at, true) : view.getUint16(at, true));
    case 4:
      return (view, at) => BigInt(signed ? view.getInt32(at, true) : view.getUint32(at, true));
    case 8:
      return (view, at) => (signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true));
    default:
      return undefined;
  }
}
