import type { StructLayout } from '../layout/layout.ts';
import { ByteWriter } from './byte-writer.ts';
import { isObject, type ObjectResult } from './json.ts';
import { hexValue } from './read-leaf.ts';
import { readStruct } from './read-struct.ts';

export interface ReadOptions {
  /**
   * The length that the buffer has unless the object says more: shorter ones are filled with zeros, zeros
   * beyond it are cut off. 0 or undefined: as long as the struct and its lists.
   */
  readonly length?: number | undefined;
}

/**
 * Reads the event text's form of a struct. Members not given are 0; several names of the same bytes may be given
 * while they agree. Whatever is not understood is an error with its path and the words expected there.
 */
export function fromObject(layout: StructLayout, json: unknown, options: ReadOptions = {}): ObjectResult {
  if (isObject(json) && typeof json.bytes === 'string' && Object.keys(json).length === 1) {
    const bytes = hexValue(json.bytes, 'bytes');
    return bytes instanceof Uint8Array ? { ok: true, bytes } : { ok: false, error: bytes };
  }
  const writer = new ByteWriter();
  const error = readStruct(writer, layout, json, { base: 0, end: Number.POSITIVE_INFINITY }, '');
  if (error !== undefined) return { ok: false, error };
  return { ok: true, bytes: resize(writer.bytes(), options.length ?? 0) };
}

/** Fills up, or cuts off zeros. */
function resize(bytes: Uint8Array, length: number): Uint8Array {
  if (length === 0 || length === bytes.length) return bytes;
  if (length < bytes.length) {
    return bytes.subarray(length).every((byte) => byte === 0) ? bytes.slice(0, length) : bytes;
  }
  const filled = new Uint8Array(length);
  filled.set(bytes);
  return filled;
}
