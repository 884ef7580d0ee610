import { formatHandle, parseHandle } from '../../../engine/trace/handle.ts';
import { checked, type Limit, within } from './limits.ts';

/**
 * The rare fields of an event, as JSON text in `event.more` so that stock SQL can read them. 64-bit values are
 * `0x…`, handles as in the event text.
 */
interface Field {
  readonly write: (value: never) => string | number;
  /** Undefined where the JSON value is not one of these. */
  readonly read: (json: unknown) => unknown;
}

const text: Field = {
  write: (value: string) => value,
  read: (json) => (typeof json === 'string' ? json : undefined),
};

function integer(limit: Limit): Field {
  return {
    write: (value: number) => checked(value, limit),
    read: (json) => (within(json, limit) ? json : undefined),
  };
}

const u32 = integer('u32');
const count = integer('count');

const hex64: Field = {
  write: (value: bigint) => {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`not a 64-bit value: ${value}`);
    return `0x${value.toString(16)}`;
  },
  read: (json) => (typeof json === 'string' && /^0x[0-9a-f]{1,16}$/.test(json) ? BigInt(json) : undefined),
};

const handle: Field = {
  write: (value: Parameters<typeof formatHandle>[0]) => formatHandle(value),
  read: (json) => (typeof json === 'string' ? parseHandle(json) : undefined),
};

/** What every kind may have. */
const COMMON: Readonly<Record<string, Field>> = { instructions: count, note: text };

/** Which fields may stand there, by kind of event. */
const FIELDS = {
  ioctl: { handle },
  hypercall: { inputGpa: hex64, outputGpa: hex64 },
  msr: {},
  message: { flags: u32, flag: u32, vector: u32 },
  intercept: {},
  fd: { path: text, from: integer('i32'), offset: hex64, size: hex64, addr: hex64, value: hex64 },
  page: {},
  lifecycle: {},
  mark: {
    text,
    lost: count,
    sint: u32,
    depth: count,
    gsi: u32,
    vector: u32,
    level: u32,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

export type MoreKind = keyof typeof FIELDS;

function fieldOf(kind: MoreKind, name: string): Field | undefined {
  const fields: Readonly<Record<string, Field>> = Object.hasOwn(COMMON, name) ? COMMON : FIELDS[kind];
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

const NAMES = new Map(
  Object.entries(FIELDS).map(([kind, fields]) => [
    kind as MoreKind,
    [...Object.keys(fields), ...Object.keys(COMMON)],
  ]),
);

/** The rare fields that `source` has, as JSON text; 0 for none. */
export function writeMore(kind: MoreKind, source: object): string | 0 {
  let found: Record<string, string | number> | undefined;
  for (const name of NAMES.get(kind) ?? []) {
    const value = (source as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    found ??= {};
    found[name] = (fieldOf(kind, name) as Field).write(value as never);
  }
  return found === undefined ? 0 : JSON.stringify(found);
}

/** Reads them back into `target`; false where the text is not what {@link writeMore} writes. */
export function readMore(kind: MoreKind, json: string, target: Record<string, unknown>): boolean {
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    return false;
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return false;
  for (const [name, value] of Object.entries(found)) {
    const read = fieldOf(kind, name)?.read(value);
    if (read === undefined) return false;
    target[name] = read;
  }
  return true;
}
