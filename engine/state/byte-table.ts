import { MadeRows } from './rows.ts';

/** Bytes stand in pieces of memory of this size; what is longer has one of its own. */
const PIECE_BYTES = 1 << 16;
const FIRST_SLOTS = 256;
/** Words of 32 bits for each: its piece, where it begins in it, how many bytes it has. */
const PLACE_WORDS = 3;

/** Different byte strings, numbered from 1 in the order in which they came: each takes its bytes and some 20 more. */
export class ByteTable extends MadeRows<Uint8Array> {
  readonly #pieces: Uint8Array[] = [];
  /** Bytes that are used in the last piece. */
  #used = 0;
  #places = new Uint32Array(FIRST_SLOTS);
  /** Numbers by a hash of their bytes; 0 for none. Open addressing, at most three quarters full. */
  #slots = new Uint32Array(FIRST_SLOTS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The number of these bytes, and whether they have it from now on: they are copied then. */
  number(bytes: Uint8Array): { readonly number: number; readonly isNew: boolean } {
    const mask = this.#slots.length - 1;
    let slot = hashOf(bytes) & mask;
    for (let number = this.#slots[slot] as number; number !== 0; number = this.#slots[slot] as number) {
      if (this.#holds(number, bytes)) return { number, isNew: false };
      slot = (slot + 1) & mask;
    }
    this.#add(bytes);
    this.#slots[slot] = this.#length;
    if (this.#length * 4 > this.#slots.length * 3) this.#widen();
    return { number: this.#length, isNew: true };
  }

  /** Those of a number less one. They must not be changed. */
  protected override made(index: number): Uint8Array {
    const place = index * PLACE_WORDS;
    const from = this.#places[place + 1] as number;
    const piece = this.#pieces[this.#places[place] as number] as Uint8Array;
    return piece.subarray(from, from + (this.#places[place + 2] as number));
  }

  #holds(number: number, bytes: Uint8Array): boolean {
    const place = (number - 1) * PLACE_WORDS;
    if (this.#places[place + 2] !== bytes.length) return false;
    const piece = this.#pieces[this.#places[place] as number] as Uint8Array;
    const from = this.#places[place + 1] as number;
    for (let i = 0; i < bytes.length; i++) if (piece[from + i] !== bytes[i]) return false;
    return true;
  }

  #add(bytes: Uint8Array): void {
    if (this.#pieces.length === 0 || this.#used + bytes.length > PIECE_BYTES) {
      this.#pieces.push(new Uint8Array(Math.max(PIECE_BYTES, bytes.length)));
      this.#used = 0;
    }
    const piece = this.#pieces.length - 1;
    this.#pieces[piece]?.set(bytes, this.#used);
    const place = this.#length * PLACE_WORDS;
    if (place + PLACE_WORDS > this.#places.length) {
      const places = new Uint32Array(this.#places.length * 2);
      places.set(this.#places);
      this.#places = places;
    }
    this.#places[place] = piece;
    this.#places[place + 1] = this.#used;
    this.#places[place + 2] = bytes.length;
    this.#used += bytes.length;
    this.#length++;
  }

  #widen(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (let i = 0; i < this.#length; i++) {
      let slot = hashOf(this.made(i)) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = i + 1;
    }
    this.#slots = slots;
  }
}

/** FNV-1a of 32 bits, over every byte: states of devices differ in few. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}
