import type { JournalChunk } from './journal.ts';

/** Words of the hash that one entry of the journal makes. */
const ENTRY_WORDS = 7;
const BUFFERED_ENTRIES = 64;

/**
 * A running 64-bit hash over 32-bit words, in two lanes of 32-bit integer arithmetic (BigInt would cost more
 * than the replay itself). Each lane is the murmur3 block step with its own constants; the lanes feed each
 * other so that the whole has 64 bits of state.
 */
export class RunningHash {
  #a: number;
  #b: number;
  #words = 0;
  /** Words on their way into the hash. */
  readonly #buffer = new Uint32Array(BUFFERED_ENTRIES * ENTRY_WORDS);

  constructor(state?: HashState) {
    this.#a = state?.a ?? 0x9e3779b9;
    this.#b = state?.b ?? 0x7f4a7c15;
    this.#words = state?.words ?? 0;
  }

  /** Feeds one word; only its low 32 bits count. */
  word(word: number): void {
    this.#buffer[0] = word;
    this.#feed(1);
  }

  /** Feeds the first `count` words of the buffer. The state is in local variables meanwhile. */
  #feed(count: number): void {
    const buffer = this.#buffer;
    let [a, b] = [this.#a, this.#b];
    for (let i = 0; i < count; i++) {
      const word = buffer[i] as number;
      let k = Math.imul(word, 0xcc9e2d51);
      k = (k << 15) | (k >>> 17);
      a ^= Math.imul(k, 0x1b873593);
      a = (a << 13) | (a >>> 19);
      a = (Math.imul(a, 5) + 0xe6546b64) | 0;
      b ^= Math.imul(word ^ a, 0x85ebca6b);
      b = (b << 17) | (b >>> 15);
      b = (Math.imul(b, 9) + 0x38495ab5) | 0;
    }
    this.#a = a;
    this.#b = b;
    this.#words += count;
  }

  /** Feeds entries `from` up to but not including `to` of a chunk of the journal, seven words each. */
  entries(chunk: JournalChunk, from: number, to: number): void {
    const { cell, oldWords, nowWords, seq, sub } = chunk;
    const buffer = this.#buffer;
    let filled = 0;
    for (let i = from; i < to; i++) {
      buffer[filled] = cell[i] as number;
      buffer[filled + 1] = oldWords[i * 2] as number;
      buffer[filled + 2] = oldWords[i * 2 + 1] as number;
      buffer[filled + 3] = nowWords[i * 2] as number;
      buffer[filled + 4] = nowWords[i * 2 + 1] as number;
      buffer[filled + 5] = seq[i] as number;
      buffer[filled + 6] = sub[i] as number;
      filled += ENTRY_WORDS;
      if (filled < buffer.length) continue;
      this.#feed(filled);
      filled = 0;
    }
    this.#feed(filled);
  }

  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    const whole = bytes.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      this.word(
        (bytes[i] as number) |
          ((bytes[i + 1] as number) << 8) |
          ((bytes[i + 2] as number) << 16) |
          ((bytes[i + 3] as number) << 24),
      );
    }
    for (let i = whole; i < bytes.length; i++) this.word(bytes[i] as number);
  }

  state(): HashState {
    return { a: this.#a, b: this.#b, words: this.#words };
  }

  /** The hash of all words so far: 16 hex digits. */
  digest(): string {
    const a = finish(this.#a ^ this.#words);
    const b = finish(this.#b ^ a);
    return hex32(finish(a ^ b)) + hex32(b);
  }
}

export interface HashState {
  readonly a: number;
  readonly b: number;
  readonly words: number;
}

function finish(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
