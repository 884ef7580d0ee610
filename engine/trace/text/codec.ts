import {
  bytesOfHex,
  hexOfBytes,
  hypercalls,
  messageTypes,
  msrs,
  type NamedRow,
  type NameTable,
  registers,
  statuses,
} from '../../abi/index.ts';
import { formatHandle, formatVp, type Handle, parseHandle, parseVp, type VpRef } from '../handle.ts';
import type { TimeNs } from '../position.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { formatTime, parseTime } from '../time.ts';
import type { Json } from './json.ts';
import { expected, orList } from './refusal.ts';

/** One kind of value of the event text: how it is read, how it is written, what a schema says of it. */
export interface Codec<T> {
  /** Throws a {@link Refusal} where the value is not one. */
  read(json: Json): T;
  /** The canonical JSON text. */
  write(value: T): string;
  readonly schema: JsonSchema;
}

const INTEGER = /^-?(?:0|[1-9][0-9]{0,38}|0[xX][0-9a-fA-F]{1,32})$/;

/** Reads an integer as the event text allows it: a JSON number, or a string in decimal or hexadecimal. */
export function integerOf(json: Json): bigint | undefined {
  if (typeof json === 'number') return BigInt(json);
  if (typeof json !== 'string' || !INTEGER.test(json)) return undefined;
  return json.startsWith('-') ? -BigInt(json.slice(1)) : BigInt(json);
}

const INTEGER_SCHEMA: JsonSchema = {
  anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?(0|[1-9][0-9]*|0[xX][0-9a-fA-F]+)$' }],
};

/** A count, an index or a number that is best read in decimal; from `min` to `max`, both exact in a double. */
export function decimal(min: number, max: number): Codec<number> {
  const what = `a whole number from ${min} to ${max}`;
  return {
    read(json) {
      if (typeof json === 'number' && json >= min && json <= max) return json;
      const value = integerOf(json);
      if (value === undefined || value < min || value > max) throw expected(what, json);
      return Number(value);
    },
    write: (value) => String(value),
    schema: INTEGER_SCHEMA,
  };
}

/** An unsigned integer of `bits` bits that is best read in hexadecimal: an address, a register's content. */
export function hex(bits: 64 | 128): Codec<bigint> {
  const limit = 1n << BigInt(bits);
  return {
    read(json) {
      const value = integerOf(json);
      if (value === undefined || value < 0n || value >= limit)
        throw expected(`a whole number below 2^${bits}`, json);
      return value;
    },
    write: (value) => `"0x${value.toString(16)}"`,
    schema: INTEGER_SCHEMA,
  };
}

export const U8 = decimal(0, 0xff);
export const U32 = decimal(0, 0xffff_ffff);
export const I32 = decimal(-0x8000_0000, 0x7fff_ffff);
export const COUNT = decimal(0, Number.MAX_SAFE_INTEGER);
export const U64 = hex(64);

export const TEXT: Codec<string> = {
  read(json) {
    if (typeof json !== 'string') throw expected('a text in quotes', json);
    return json;
  },
  write: (value) => JSON.stringify(value),
  schema: { type: 'string' },
};

export const FLAG: Codec<boolean> = {
  read(json) {
    if (typeof json !== 'boolean') throw expected('true or false', json);
    return json;
  },
  write: (value) => String(value),
  schema: { type: 'boolean' },
};

/** One of some words. */
export function oneOf<T extends string>(words: readonly T[]): Codec<T> {
  const known = new Set<Json>(words);
  return {
    read(json) {
      if (!known.has(json)) throw expected(orList(words), json);
      return json as T;
    },
    write: (value) => `"${value}"`,
    schema: { enum: words },
  };
}

/** A value or null, where null has a meaning of its own. */
export function orNull<T>(codec: Codec<T>): Codec<T | null> {
  return {
    read: (json) => (json === null ? null : codec.read(json)),
    write: (value) => (value === null ? 'null' : codec.write(value)),
    schema: { anyOf: [{ type: 'null' }, codec.schema] },
  };
}

export const TIME: Codec<TimeNs> = {
  read(json) {
    const time = typeof json === 'string' ? parseTime(json) : undefined;
    if (time === undefined) throw expected('a time such as "41us" (ns, us, ms, s; "0")', json);
    return time;
  },
  write: (value) => `"${formatTime(value)}"`,
  schema: { type: 'string', pattern: '^(0+|[0-9]+(\\.[0-9]+)?(ns|us|ms|s))$' },
};

export const VP: Codec<VpRef> = {
  read(json) {
    const ref = typeof json === 'string' ? parseVp(json) : undefined;
    if (ref === undefined) throw expected('a VP such as "2.0" (partition id, VP index)', json);
    return ref;
  },
  write: (value) => `"${formatVp(value)}"`,
  schema: { type: 'string', pattern: '^(\\?|[0-9]+)\\.(\\?|[0-9]+)$' },
};

export const HANDLE: Codec<Handle> = {
  read(json) {
    const handle = typeof json === 'string' ? parseHandle(json) : undefined;
    if (handle === undefined)
      throw expected(
        'a handle such as "device", "partition:2", "vp:2.0", "vtl:1", "hvcall:1", "sint:1", "vtl-low:1", "eventfd:7" or "foreign:5"',
        json,
      );
    return handle;
  },
  write: (value) => `"${formatHandle(value)}"`,
  schema: {
    type: 'string',
    pattern:
      '^(device|(device|vtl|hvcall|sint|vtl-low):[0-9]+|(eventfd|foreign):-?[0-9]+|partition:(\\?|[0-9]+)|vp:(\\?|[0-9]+)\\.(\\?|[0-9]+))$',
  },
};

/** A number of one of the ABI's tables of names: any accepted name or the number; the canonical name is written. */
function named(table: NameTable<NamedRow>, what: string, max: number): Codec<number> {
  return {
    read(json) {
      const value = typeof json === 'string' ? table.parse(json) : json;
      if (typeof value !== 'number' || value < 0 || value > max) throw expected(what, json);
      return value;
    },
    write: (value) => `"${table.name(value)}"`,
    schema: {
      anyOf: [{ type: 'integer', minimum: 0, maximum: max }, { type: 'string' }],
      description: `${what}; by name or number`,
    },
  };
}

export const MSR = named(msrs, 'an MSR such as "HV_X64_MSR_SIMP" or "0x40000083"', 0xffff_ffff);
export const CALL_CODE = named(hypercalls, 'a hypercall such as "HVCALL_CREATE_VP" or "0x4e"', 0xffff);
export const STATUS = named(statuses, 'a status such as "HV_STATUS_SUCCESS" or "0x0"', 0xffff);
export const MESSAGE_TYPE = named(
  messageTypes,
  'a message type such as "HVMSG_X64_HALT" or "0x80010007"',
  0xffff_ffff,
);
export const REGISTER = named(
  registers,
  'a register such as "HV_X64_REGISTER_RIP" or "0x20010"',
  0xffff_ffff,
);

/** Bytes in hexadecimal, two digits each, nothing between. */
export const HEX_BYTES: Codec<Uint8Array> = {
  read(json) {
    const bytes = typeof json === 'string' ? bytesOfHex(json) : undefined;
    if (bytes === undefined) throw expected('bytes in hexadecimal, two digits each', json);
    return bytes;
  },
  write: (value) => `"${hexOfBytes(value)}"`,
  schema: { type: 'string', pattern: '^([0-9a-fA-F]{2})*$' },
};
