import type { Display } from '../lookup/bit-fields.ts';
import { bytesOfGuid, bytesOfHex } from '../text.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type IntegerRange, integerFromJson } from './integer-read.ts';
import type { ObjectError } from './json.ts';

/** Where something is to be put, and where its room ends. */
export interface Room {
  readonly base: number;
  readonly end: number;
}

/** Every reader answers undefined, or the first thing that is wrong. */
export type Outcome = ObjectError | undefined;

export function problem(path: string, message: string, expected: readonly string[] = []): ObjectError {
  return { path, message, expected };
}

/** The bytes of a string of hex digits. */
export function hexValue(text: unknown, path: string): Uint8Array | ObjectError {
  const bytes = typeof text === 'string' ? bytesOfHex(text) : undefined;
  return bytes ?? problem(path, 'is not a string of hex digits, two a byte');
}

/** Puts a string of hex digits where there is room for it. */
export function readHex(writer: ByteWriter, text: unknown, { base, end }: Room, path: string): Outcome {
  const bytes = hexValue(text, path);
  if (!(bytes instanceof Uint8Array)) return bytes;
  if (base + bytes.length > end) return problem(path, `has more than ${end - base} bytes`);
  return agreement(writer.putBytes(base, bytes), path);
}

/** Puts a GUID, or its bytes as hex digits. */
export function readGuid(writer: ByteWriter, text: unknown, room: Room, path: string): Outcome {
  const bytes = typeof text === 'string' ? bytesOfGuid(text) : undefined;
  if (bytes !== undefined) return agreement(writer.putBytes(room.base, bytes), path);
  const error = readHex(writer, text, room, path);
  return error?.message.includes('hex digits')
    ? problem(path, 'is not a GUID such as "f8615163-df3e-46c5-913f-f2d2f965ed0e", or hex digits')
    : error;
}

export function agreement(agrees: boolean, path: string): Outcome {
  return agrees ? undefined : problem(path, 'disagrees with another member of the same bytes');
}

/** Bits of a little-endian integer of `size` bytes. */
export interface Place {
  readonly offset: number;
  readonly size: number;
  readonly lsb: number;
}

/** Reads one integer, name or list of flags, and puts it in its place. */
export function readInteger(
  writer: ByteWriter,
  json: unknown,
  display: Display,
  range: IntegerRange,
  at: Place,
  path: string,
): Outcome {
  const value = integerFromJson(json, display, range);
  if (typeof value !== 'bigint') return problem(path, value.message, value.expected);
  return agreement(writer.put(at.offset, at.size, at.lsb, range.bits, value), path);
}
