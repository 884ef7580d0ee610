import { HEX_BYTES } from './codec.ts';
import { isObject, type Json } from './json.ts';
import { readKey } from './row.ts';

/** The bytes of `{"bytes":"…"}`; undefined for any other value. */
export function readBytesObject(json: Json): Uint8Array | undefined {
  if (!isObject(json) || Object.keys(json).length !== 1) return undefined;
  return readKey(json, 'bytes', (value) => HEX_BYTES.read(value));
}

export function writeBytesObject(bytes: Uint8Array): string {
  return `{"bytes":${HEX_BYTES.write(bytes)}}`;
}
