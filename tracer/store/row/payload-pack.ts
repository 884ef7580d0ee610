/**
 * Packing of payloads: ABI structures are mostly zeros (a 256-byte message holds about 80 bytes). The first
 * eight bytes stand as they are, so that SQL can read a message's type; the rest is packed word by word as
 * Cap'n Proto does it (its encoding specification, "Packing"): a tag byte tells which bytes of the word are not
 * zero, then these; behind tag 0x00 the number of further zero words, behind 0xff the number of further words
 * that stand unpacked.
 */

const HEAD_BYTES = 8;

/** `size` zero bytes more than needed, so that the last word can be read whole. */
let scratch = new Uint8Array(4096);

/** Packs a payload; undefined where that would not save an eighth of it. */
export function packPayload(bytes: Uint8Array): Uint8Array | undefined {
  const size = bytes.length;
  const limit = size - (size >> 3);
  if (size <= 2 * HEAD_BYTES) return undefined;
  // A word takes at most ten bytes (tag, eight bytes, count).
  if (scratch.length < limit + 16) scratch = new Uint8Array(limit + 16);
  const out = scratch;
  for (let i = 0; i < HEAD_BYTES; i += 1) out[i] = bytes[i] as number;
  let o = HEAD_BYTES;
  let i = HEAD_BYTES;
  while (i < size) {
    if (o >= limit) return undefined;
    const tagAt = o;
    let tag = 0;
    o += 1;
    const end = Math.min(i + 8, size);
    for (let bit = 1; i < end; i += 1, bit <<= 1) {
      const byte = bytes[i] as number;
      if (byte === 0) continue;
      tag |= bit;
      out[o] = byte;
      o += 1;
    }
    out[tagAt] = tag;
    if (tag === 0) {
      const from = i;
      while (i < size && i - from < 8 * 255 && isZero(bytes, i, size)) i += 8;
      out[o] = (i - from) >> 3;
      o += 1;
    } else if (tag === 0xff) {
      const from = i;
      const countAt = o;
      o += 1;
      while (i + 8 <= size && i - from < 8 * 255 && zeros(bytes, i) <= 1) i += 8;
      out[countAt] = (i - from) >> 3;
      if (o + i - from >= limit) return undefined;
      out.set(bytes.subarray(from, i), o);
      o += i - from;
    }
  }
  return o < limit ? out.slice(0, o) : undefined;
}

/** Gives back the `size` bytes that were packed; undefined where the packed form is not one of so many bytes. */
export function unpackPayload(packed: Uint8Array, size: number): Uint8Array | undefined {
  if (packed.length < HEAD_BYTES || size < HEAD_BYTES) return undefined;
  const bytes = new Uint8Array(size);
  bytes.set(packed.subarray(0, HEAD_BYTES));
  let o = HEAD_BYTES;
  let i = HEAD_BYTES;
  while (i < size) {
    const tag = packed[o] as number;
    o += 1;
    const end = i + 8;
    for (let bits = tag; bits !== 0; bits >>= 1, i += 1) {
      if ((bits & 1) === 0) continue;
      if (i >= size) return undefined;
      bytes[i] = packed[o] as number;
      o += 1;
    }
    i = end;
    if (tag === 0) {
      i += 8 * (packed[o] as number);
      o += 1;
    } else if (tag === 0xff) {
      const run = 8 * (packed[o] as number);
      o += 1;
      if (o + run > packed.length || i + run > size) return undefined;
      bytes.set(packed.subarray(o, o + run), i);
      o += run;
      i += run;
    }
    if (o > packed.length) return undefined;
  }
  // A last word of zeros may reach beyond the end, by less than a word.
  return o === packed.length && i - size < 8 ? bytes : undefined;
}

function isZero(bytes: Uint8Array, from: number, size: number): boolean {
  const end = Math.min(from + 8, size);
  for (let i = from; i < end; i += 1) if (bytes[i] !== 0) return false;
  return true;
}

function zeros(bytes: Uint8Array, from: number): number {
  let count = 0;
  for (let i = from; i < from + 8; i += 1) if (bytes[i] === 0) count += 1;
  return count;
}
