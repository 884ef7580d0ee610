/** Numbers in pages are big-endian. Beyond the bytes there are zeros. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

export function u32(bytes: Uint8Array, at: number): number {
  return ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;
}

/** Where the varint that was read last ends. One for all: a value of its own for each would cost more than reading. */
export const cursor = { at: 0 };

/**
 * Reads a varint at `at` and leaves `cursor` behind it. Nine bytes, or a value beyond 2^53, are of no row of
 * ours: they give infinity.
 */
export function varint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at] ?? 0;
  if (byte < 0x80) {
    cursor.at = at + 1;
    return byte;
  }
  let value = byte & 0x7f;
  for (let i = at + 1; i < at + 8; i += 1) {
    byte = bytes[i] ?? 0;
    value = value * 0x80 + (byte & 0x7f);
    if (byte < 0x80) {
      cursor.at = i + 1;
      return value <= Number.MAX_SAFE_INTEGER ? value : Number.POSITIVE_INFINITY;
    }
  }
  cursor.at = at + 9;
  return Number.POSITIVE_INFINITY;
}
