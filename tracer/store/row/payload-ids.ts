import { MAX_INLINE_BYTES, MAX_PAYLOAD_BYTES } from '../format/flags.ts';
import { packPayload } from './payload-pack.ts';
import type { Value } from './row.ts';

/** A row of `blob`: id, size of the payload, its bytes (packed where there are fewer of them than `size`). */
export type BlobRow = readonly [id: number, size: number, bytes: Uint8Array];

/** Longer payloads are not looked for among the earlier ones: they seldom repeat, and the key is a copy. */
const MAX_KEY_BYTES = 4096;

/** One generation of remembered payloads: about 4 MiB of keys at most. */
const GENERATION_BYTES = 4 * 1024 * 1024;
/** Counted for each remembered payload beside its bytes. */
const ENTRY_BYTES = 64;

/** The payload was seen once and stands in a row; it has no number yet. */
const SEEN = 0;

/**
 * Decides where a payload stands. Short ones stand in the event's row until they come a second time: most are
 * unique, and a row of their own would cost more than they do. Memory is bounded: two generations of recent
 * payloads are remembered, so that what repeats keeps its number and what does not is forgotten.
 */
export class PayloadIds {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngBytes = 0;
  #next: number;
  readonly #scratch = Buffer.allocUnsafe(MAX_KEY_BYTES);
  /** Rows of `blob` that are still to be written, in order of id. */
  pending: BlobRow[] = [];

  constructor(next: number) {
    this.#next = next;
  }

  store(bytes: Uint8Array): Value {
    const size = bytes.length;
    if (size > MAX_PAYLOAD_BYTES) throw new RangeError(`a payload of ${size} bytes is too long`);
    if (size > MAX_KEY_BYTES) return this.#add(bytes);
    if (size === 0) return bytes;
    this.#scratch.set(bytes);
    const key = this.#scratch.toString('latin1', 0, size);
    const known = this.#young.get(key) ?? this.#promote(key);
    if (known !== undefined && known !== SEEN) return known;
    if (size <= MAX_INLINE_BYTES && known === undefined) {
      this.#remember(key, SEEN);
      // The caller may use its buffer again before the row is written.
      return bytes.slice();
    }
    const id = this.#add(bytes);
    this.#remember(key, id);
    return id;
  }

  #add(bytes: Uint8Array): number {
    const id = this.#next;
    this.#next += 1;
    this.pending.push([id, bytes.length, packPayload(bytes) ?? bytes.slice()]);
    return id;
  }

  #promote(key: string): number | undefined {
    const id = this.#old.get(key);
    if (id !== undefined) this.#remember(key, id);
    return id;
  }

  #remember(key: string, id: number): void {
    this.#young.set(key, id);
    this.#youngBytes += key.length + ENTRY_BYTES;
    if (this.#youngBytes < GENERATION_BYTES) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }
}
