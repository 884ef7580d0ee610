import { MAX_INLINE_BYTES, MAX_PAYLOAD_BYTES } from '../format/flags.ts';
import { KnownBytes, MAX_KNOWN_BYTES } from './known-bytes.ts';
import { packPayload } from './payload-pack.ts';
import type { Value } from './row.ts';

/** A row of `blob`: id, size of the payload, its bytes (packed where there are fewer of them than `size`). */
export type BlobRow = readonly [id: number, size: number, bytes: Uint8Array];

const KNOWN_SLOTS = 1 << 14;
/** A short payload is recognised if fewer than about as many others came in between. */
const SEEN_SLOTS = 1 << 16;

/**
 * Decides where a payload stands. Short ones stand in the event's row until they come a second time: most are
 * unique, and a row of their own would cost more than they do. What repeats is found again by hash in tables of
 * fixed size, where a newer payload takes the place of an older one: forgetting only costs a few bytes of file.
 */
export class PayloadIds {
  /** Hashes of short payloads that came once. */
  readonly #seen = new Int32Array(SEEN_SLOTS);
  readonly #knownIds = new Float64Array(KNOWN_SLOTS);
  /** Where the bytes of {@link #knownIds} stand. */
  readonly #knownAt = new Float64Array(KNOWN_SLOTS);
  readonly #known = new KnownBytes();
  #next = 1;
  #pending: BlobRow[] = [];
  #pendingBytes = 0;

  /** About how much memory the rows take that {@link take} would give. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Rows of `blob` that are still to be written, in order of id; they are given once. */
  take(): readonly BlobRow[] {
    const rows = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    return rows;
  }

  /** The column's value for a payload: itself, or its number. Until it is written it must not change. */
  store(bytes: Uint8Array): Value {
    const size = bytes.length;
    if (size > MAX_PAYLOAD_BYTES) throw new RangeError(`a payload of ${size} bytes is too long`);
    if (size === 0) return bytes;
    if (size > MAX_KNOWN_BYTES) return this.#add(bytes);
    const hash = hashOf(bytes);
    const slot = hash & (KNOWN_SLOTS - 1);
    if (this.#known.has(this.#knownAt[slot] as number, bytes)) return this.#knownIds[slot] as number;
    if (size <= MAX_INLINE_BYTES) {
      const seenSlot = hash & (SEEN_SLOTS - 1);
      if (this.#seen[seenSlot] !== hash) {
        this.#seen[seenSlot] = hash;
        return bytes;
      }
    }
    const id = this.#add(bytes);
    this.#knownAt[slot] = this.#known.put(bytes);
    this.#knownIds[slot] = id;
    return id;
  }

  #add(bytes: Uint8Array): number {
    const id = this.#next;
    this.#next += 1;
    this.#pending.push([id, bytes.length, packPayload(bytes) ?? bytes]);
    this.#pendingBytes += bytes.length;
    return id;
  }
}

/** Bytes that a hash goes over: what tells payloads apart stands at the front of a structure, or at its end. */
const HASHED_FRONT = 64;
const HASHED_END = 16;

/** The block step of murmur3 over four bytes at a time; the length tells runs of zeros apart. */
function hashOf(bytes: Uint8Array): number {
  const size = bytes.length;
  let hash = size;
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    if (i === HASHED_FRONT && size > HASHED_FRONT + HASHED_END) i = size - HASHED_END;
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    const k = Math.imul(word, 0xcc9e2d51);
    hash ^= Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  for (; i < size; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
