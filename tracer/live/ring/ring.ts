import { type Plain, PlainReader, roomFor, writePlain } from './wire.ts';

/** Words before the data: bytes written and bytes read since the start, modulo 2^32. */
const WRITTEN = 0;
const READ = 1;
const WORDS = 2;
const HEADER_BYTES = 4;
/** Stands for a length: the rest up to the end of the memory is not used. */
const WRAP = 0xffff_ffff;
const ALIGNMENT = 8;

/** A share of the ring is kept for the ends of calls whose beginning is in it already. */
const RESERVED = 8;

/** What both threads have; `bytes` of it hold data: a power of two. */
export function ringMemory(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * WORDS + bytes);
}

class Sides {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly size: number;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, WORDS);
    this.bytes = new Uint8Array(memory, 4 * WORDS);
    this.view = new DataView(memory, 4 * WORDS);
    this.size = this.bytes.length;
  }

  get used(): number {
    return (Atomics.load(this.words, WRITTEN) - Atomics.load(this.words, READ)) >>> 0;
  }
}

/** The tracing thread's end. */
export class RingWriter {
  readonly #sides: Sides;
  #written = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#sides = new Sides(memory);
  }

  /** Puts a value in; false where it finds no room, which is less for values that are not `urgent`. */
  put(value: Plain, urgent = false): boolean {
    const { bytes, view, size, words, used } = this.#sides;
    const most = HEADER_BYTES + roomFor(value) + ALIGNMENT;
    let at = this.#written & (size - 1);
    const skipped = at + most > size ? size - at : 0;
    if (used + skipped + most > (urgent ? size : size - size / RESERVED)) return false;
    if (skipped > 0) {
      view.setUint32(at, WRAP, true);
      this.#written = (this.#written + skipped) >>> 0;
      at = 0;
    }
    const end = writePlain(bytes, view, at + HEADER_BYTES, value);
    const taken = Math.ceil((end - at) / ALIGNMENT) * ALIGNMENT;
    view.setUint32(at, taken, true);
    this.#written = (this.#written + taken) >>> 0;
    Atomics.store(words, WRITTEN, this.#written | 0);
    return true;
  }
}

/** The end of the thread that writes the file. */
export class RingReader {
  readonly #sides: Sides;
  readonly #reader: PlainReader;
  #read = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#sides = new Sides(memory);
    this.#reader = new PlainReader(this.#sides.bytes, this.#sides.view);
  }

  /** Hands over what is there, at most `most` values; returns how many. */
  take(most: number, each: (value: Plain) => void): number {
    const { view, size, words } = this.#sides;
    for (let count = 0; ; ) {
      if (count === most || this.#sides.used === 0) return count;
      const at = this.#read & (size - 1);
      const length = view.getUint32(at, true);
      if (length === WRAP) {
        this.#advance(size - at);
        continue;
      }
      const value = this.#reader.read(at + HEADER_BYTES);
      this.#advance(length);
      Atomics.store(words, READ, this.#read | 0);
      each(value);
      count++;
    }
  }

  #advance(bytes: number): void {
    this.#read = (this.#read + bytes) >>> 0;
  }
}
