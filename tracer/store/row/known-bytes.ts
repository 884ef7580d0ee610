/** Longer payloads are not looked for among the earlier ones: they seldom repeat. */
export const MAX_KNOWN_BYTES = 4096;
/** 8192 messages of 256 bytes; a power of two. */
const RING_BYTES = 1 << 21;
/** Before each payload stands its size, in two bytes. */
const SIZE_BYTES = 2;
/** A call into Node costs as much as comparing this many bytes here. */
const COMPARED_HERE = 64;

/**
 * The bytes of the payloads that came last, in memory of one size however many come: of a long recording most would be kept for nothing,
 * each in an object of its own.
 */
export class KnownBytes {
  readonly #ring = Buffer.alloc(RING_BYTES);
  /** Bytes that were ever put in. */
  #end = 0;

  /** Puts a payload in; where it stands, which is never 0. */
  put(bytes: Uint8Array): number {
    const size = bytes.length;
    const left = RING_BYTES - (this.#end & (RING_BYTES - 1));
    if (left < SIZE_BYTES + size) this.#end += left;
    const at = this.#end & (RING_BYTES - 1);
    this.#ring[at] = size & 0xff;
    this.#ring[at + 1] = size >> 8;
    this.#ring.set(bytes, at + SIZE_BYTES);
    this.#end += SIZE_BYTES + size;
    return this.#end - size;
  }

  /** Whether these bytes stand there still. */
  has(place: number, bytes: Uint8Array): boolean {
    const size = bytes.length;
    if (place === 0 || this.#end - place > RING_BYTES - SIZE_BYTES) return false;
    const [ring, at] = [this.#ring, place & (RING_BYTES - 1)];
    if (ring[at - 2] !== (size & 0xff) || ring[at - 1] !== size >> 8) return false;
    if (size > COMPARED_HERE) return ring.compare(bytes, 0, size, at, at + size) === 0;
    for (let i = 0; i < size; i++) if (ring[at + i] !== bytes[i]) return false;
    return true;
  }
}
