import { HEX_BYTES } from './codec.ts';
import type { Json, JsonObject } from './json.ts';
import { readKey } from './row.ts';

/** The bytes of `{"bytes":"…"}`; undefined for any other value. */
export function readBytesObject(json: Json): Uint8Array | undefined {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return undefined;
  const object = json as JsonObject;
  if (Object.keys(object).length !== 1) return undefined;
  return readKey(object, 'bytes', (value) => HEX_BYTES.read(value));
}

export function writeBytesObject(bytes: Uint8Array): string {
  return `{"bytes":${HEX_BYTES.write(bytes)}}`;
}
