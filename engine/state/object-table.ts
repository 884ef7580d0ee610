import { highHalf, lowHalf, wholeOf } from '../abi/layout/halves.ts';
import { MadeRows } from './rows.ts';
import type { ObjectKind } from './schema.ts';
import type { Key, ObjectId, ObjectRow } from './store.ts';

/** Words of 32 bits in a row. */
const ID = 0;
/** The parent's id; that of the top, -1, is the highest number. */
const PARENT = 1;
/** Number of the kind. */
const KIND = 2;
const KEY_LOW = 3;
const KEY_HIGH = 4;
/** One more than the row that was the first below this one; 0 for none. */
const FIRST_CHILD = 5;
/** In the first row of its kind below its parent: one more than that of the kind that came next; 0 for none. */
const NEXT_FAMILY = 6;
const ROW_WORDS = 7;

/** Rows of a page: 28 KiB. */
const PAGE_SHIFT = 10;
const PAGE_ROWS = 1 << PAGE_SHIFT;
const IN_PAGE = PAGE_ROWS - 1;

const FIRST_SLOTS = 256;
/** Keys from here on are bigints. */
const HIGH_OF_BIGINT = 0x20_0000;

/**
 * Every path that ever had cells, in the order in which it got them. Most of a long trace are gone, and each has to be found again
 * should it come back: a row takes 40 bytes, the place by which it is found among them.
 */
export class ObjectTable extends MadeRows<ObjectRow> {
  readonly #pages: Uint32Array[] = [];
  readonly #kinds: ObjectKind[] = [];
  readonly #numbers = new Map<ObjectKind, number>();
  /** One more than a row, by a hash of its path; 0 for none. Open addressing, at most three quarters full. */
  #slots = new Uint32Array(FIRST_SLOTS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  protected override made(row: number): ObjectRow {
    return { id: this.id(row), kind: this.kind(row), parent: this.parent(row), key: this.key(row) };
  }

  /** The row of a path that has, or had, cells; undefined where there is none. */
  find(parent: ObjectId, kind: ObjectKind, key: Key): number | undefined {
    const low = lowOf(key);
    const high = highOf(key);
    const slots = this.#slots;
    for (let slot = hashOf(parent, kind, low, high); ; slot++) {
      const row = (slots[slot & (slots.length - 1)] as number) - 1;
      if (row < 0) return undefined;
      const words = this.#pages[row >>> PAGE_SHIFT] as Uint32Array;
      const at = (row & IN_PAGE) * ROW_WORDS;
      if (
        words[at + KEY_LOW] === low &&
        words[at + PARENT] === parent >>> 0 &&
        words[at + KEY_HIGH] === high &&
        this.#kinds[words[at + KIND] as number] === kind
      )
        return row;
    }
  }

  /** A row for a path that has none. Its parent has one, and all before it have lower ids. */
  add(id: ObjectId, parent: ObjectId, kind: ObjectKind, key: Key): number {
    const row = this.#length++;
    if ((row & IN_PAGE) === 0) this.#pages.push(new Uint32Array(PAGE_ROWS * ROW_WORDS));
    const words = this.#pages[row >>> PAGE_SHIFT] as Uint32Array;
    const at = (row & IN_PAGE) * ROW_WORDS;
    words[at + ID] = id;
    words[at + PARENT] = parent;
    words[at + KIND] = this.#numberOf(kind);
    words[at + KEY_LOW] = lowOf(key);
    words[at + KEY_HIGH] = highOf(key);
    this.#join(row, parent, words[at + KIND] as number);
    if (this.#length * 4 > this.#slots.length * 3) this.#slots = this.#slotsOf(this.#slots.length * 2);
    else this.#put(this.#slots, row);
    return row;
  }

  /** The row of an object. */
  rowOf(id: ObjectId): number {
    let [low, high] = [0, this.#length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#word(middle, ID) <= id) low = middle;
      else high = middle - 1;
    }
    if (this.#length === 0 || this.#word(low, ID) !== id) throw new Error(`no object ${id}`);
    return low;
  }

  id(row: number): ObjectId {
    return this.#word(row, ID) as ObjectId;
  }

  kind(row: number): ObjectKind {
    return this.#kinds[this.#word(row, KIND)] as ObjectKind;
  }

  parent(row: number): ObjectId {
    return (this.#word(row, PARENT) | 0) as ObjectId;
  }

  key(row: number): Key {
    return keyIn(this.#pages[row >>> PAGE_SHIFT] as Uint32Array, (row & IN_PAGE) * ROW_WORDS);
  }

  /** Kinds of which there are or were objects below a row, in the order in which they came. */
  *kindsBelow(row: number): Iterable<ObjectKind> {
    for (let first = this.#word(row, FIRST_CHILD); first > 0; first = this.#word(first - 1, NEXT_FAMILY))
      yield this.kind(first - 1);
  }

  /** Takes down the first row of a kind below an object. */
  #join(row: number, parent: ObjectId, kind: number): void {
    if ((parent as number) < 0) return;
    let at = this.rowOf(parent);
    let link = FIRST_CHILD;
    for (let first = this.#word(at, link); first > 0; first = this.#word(at, link)) {
      if (this.#word(first - 1, KIND) === kind) return;
      [at, link] = [first - 1, NEXT_FAMILY];
    }
    const words = this.#pages[at >>> PAGE_SHIFT] as Uint32Array;
    words[(at & IN_PAGE) * ROW_WORDS + link] = row + 1;
  }

  #numberOf(kind: ObjectKind): number {
    const known = this.#numbers.get(kind);
    if (known !== undefined) return known;
    this.#numbers.set(kind, this.#kinds.length);
    return this.#kinds.push(kind) - 1;
  }

  #slotsOf(count: number): Uint32Array<ArrayBuffer> {
    const slots = new Uint32Array(count);
    for (let row = 0; row < this.#length; row++) this.#put(slots, row);
    return slots;
  }

  #put(slots: Uint32Array, row: number): void {
    let slot = hashOf(this.parent(row), this.kind(row), this.#word(row, KEY_LOW), this.#word(row, KEY_HIGH));
    while (slots[slot & (slots.length - 1)] !== 0) slot++;
    slots[slot & (slots.length - 1)] = row + 1;
  }

  #word(row: number, word: number): number {
    return (this.#pages[row >>> PAGE_SHIFT] as Uint32Array)[(row & IN_PAGE) * ROW_WORDS + word] as number;
  }
}

function lowOf(key: Key): number {
  return typeof key === 'number' ? key >>> 0 : lowHalf(key);
}

function highOf(key: Key): number {
  return typeof key === 'number' ? Math.floor(key / 0x1_0000_0000) >>> 0 : highHalf(key);
}

function keyIn(words: Uint32Array, at: number): Key {
  const low = words[at + KEY_LOW] as number;
  const high = words[at + KEY_HIGH] as number;
  return high < HIGH_OF_BIGINT ? high * 0x1_0000_0000 + low : wholeOf(low, high);
}

/** The block step of murmur3; kinds with as many cells share places. */
function hashOf(parent: number, { info }: ObjectKind, low: number, high: number): number {
  let hash = Math.imul(parent ^ Math.imul(low, 0xcc9e2d51) ^ (high << 7) ^ (info.length << 19), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
