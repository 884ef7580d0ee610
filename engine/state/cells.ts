import type { StoreCheckpoint } from './checkpoint.ts';

/** Cells of a page: 32 KiB of values. A VP has some 160, so a page of dead ones soon has no living neighbour left. */
const PAGE_SHIFT = 12;
const PAGE_CELLS = 1 << PAGE_SHIFT;
const IN_PAGE = PAGE_CELLS - 1;

/** What stands in the place of pages that hold nothing of their own. Nobody writes to these. */
const NO_VALUES = new BigUint64Array(PAGE_CELLS);
const NO_WORDS = new Uint32Array(NO_VALUES.buffer);
const NONE_KNOWN = new Uint8Array(PAGE_CELLS);
const ALL_KNOWN = new Uint8Array(PAGE_CELLS).fill(1);

/**
 * The values of cells, and which are known. Cells are numbered once and for ever, but most objects of a long trace
 * are gone: memory is held in pages, and a page in which nothing lives gives its memory back.
 */
export class CellPages {
  #size = 0;
  readonly #values: BigUint64Array[] = [];
  /** The same in words of 32 bits, the low one first: hot paths need no BigInt. */
  readonly #words: Uint32Array[] = [];
  readonly #known: Uint8Array[] = [];
  /** How many objects that exist have cells in a page. */
  readonly #living: number[] = [];
  /** Pages of zeros to be used again. */
  readonly #spare: BigUint64Array[] = [];

  /** Number of cells. */
  get size(): number {
    return this.#size;
  }

  get(cell: number): bigint {
    return (this.#values[cell >>> PAGE_SHIFT] as BigUint64Array)[cell & IN_PAGE] as bigint;
  }

  low(cell: number): number {
    return (this.#words[cell >>> PAGE_SHIFT] as Uint32Array)[(cell & IN_PAGE) * 2] as number;
  }

  high(cell: number): number {
    return (this.#words[cell >>> PAGE_SHIFT] as Uint32Array)[(cell & IN_PAGE) * 2 + 1] as number;
  }

  known(cell: number): boolean {
    return (this.#known[cell >>> PAGE_SHIFT] as Uint8Array)[cell & IN_PAGE] === 1;
  }

  /** Sets a cell, puts what it held at place `i` of `old`, and tells whether that was known. */
  exchange(cell: number, low: number, high: number, old: Uint32Array, i: number): boolean {
    const page = cell >>> PAGE_SHIFT;
    let words = this.#words[page] as Uint32Array;
    if (words === NO_WORDS) words = this.#own(page);
    const at = cell & IN_PAGE;
    old[i * 2] = words[at * 2] as number;
    old[i * 2 + 1] = words[at * 2 + 1] as number;
    words[at * 2] = low;
    words[at * 2 + 1] = high;
    if ((this.#known[page] as Uint8Array)[at] === 1) return true;
    this.know(cell, 1);
    return false;
  }

  set(cell: number, low: number, high: number): void {
    const page = cell >>> PAGE_SHIFT;
    let words = this.#words[page] as Uint32Array;
    if (words === NO_WORDS) words = this.#own(page);
    const at = (cell & IN_PAGE) * 2;
    words[at] = low;
    words[at + 1] = high;
  }

  know(cell: number, known: 0 | 1): void {
    const page = cell >>> PAGE_SHIFT;
    let bytes = this.#known[page] as Uint8Array;
    const at = cell & IN_PAGE;
    if (bytes[at] === known) return;
    if (bytes === NONE_KNOWN || bytes === ALL_KNOWN) {
      bytes = bytes.slice();
      this.#known[page] = bytes;
    }
    bytes[at] = known;
  }

  knowAll(first: number, count: number, known: 0 | 1): void {
    forPieces([first, count], (page, from, to) => {
      const bytes = this.#known[page] as Uint8Array;
      const shared = bytes === NONE_KNOWN || bytes === ALL_KNOWN;
      const own = shared ? bytes.slice() : bytes;
      this.#known[page] = own.fill(known, from, to);
    });
  }

  /** The last cell before `end` that is not 0, down to `first`; undefined where there is none. */
  lastSet(first: number, end: number): number | undefined {
    for (let cell = end - 1; cell >= first; cell--) {
      const words = this.#words[cell >>> PAGE_SHIFT] as Uint32Array;
      const at = (cell & IN_PAGE) * 2;
      if (words[at] !== 0 || words[at + 1] !== 0) return cell;
    }
    return undefined;
  }

  /** Whether one of these cells is not known. */
  anyUnknown(first: number, count: number): boolean {
    for (let cell = first; cell < first + count; cell++) if (!this.known(cell)) return true;
    return false;
  }

  /** Adds cells, which are 0 and not known; gives the first of them. */
  grow(by: number): number {
    const first = this.#size;
    this.#size += by;
    while (this.#values.length * PAGE_CELLS < this.#size) {
      this.#values.push(NO_VALUES);
      this.#words.push(NO_WORDS);
      this.#known.push(NONE_KNOWN);
      this.#living.push(0);
    }
    return first;
  }

  /** An object with these cells exists from now on. */
  hold(first: number, count: number): void {
    const last = (first + count - 1) >>> PAGE_SHIFT;
    for (let page = first >>> PAGE_SHIFT; page <= last; page++) (this.#living[page] as number)++;
  }

  /** It exists no more. */
  release(first: number, count: number): void {
    const last = (first + count - 1) >>> PAGE_SHIFT;
    for (let page = first >>> PAGE_SHIFT; page <= last; page++) {
      const living = (this.#living[page] as number) - 1;
      this.#living[page] = living;
      // A page that is not full yet is about to be used.
      if (living === 0 && (page + 1) * PAGE_CELLS <= this.#size) this.#disown(page);
    }
  }

  /** First cell and length of each run of cells that are not known. */
  unknown(): Uint32Array {
    const runs: number[] = [];
    let behind = -1;
    for (const [page, known] of this.#known.entries()) {
      if (known === ALL_KNOWN) continue;
      const base = page * PAGE_CELLS;
      const end = Math.min(PAGE_CELLS, this.#size - base);
      for (let from = known.indexOf(0); from >= 0 && from < end; ) {
        const next = known.indexOf(1, from);
        const to = next < 0 || next > end ? end : next;
        if (base + from === behind) (runs[runs.length - 1] as number) += to - from;
        else runs.push(base + from, to - from);
        behind = base + to;
        from = known.indexOf(0, to);
      }
    }
    return Uint32Array.from(runs);
  }

  /** The values of blocks (first cell, length, first cell, …), one block after the other. */
  read(blocks: Uint32Array): BigUint64Array {
    let count = 0;
    for (let i = 1; i < blocks.length; i += 2) count += blocks[i] as number;
    const values = new BigUint64Array(count);
    forPieces(blocks, (page, from, to, at) =>
      values.set((this.#values[page] as BigUint64Array).subarray(from, to), at),
    );
    return values;
  }

  /** Becomes what a checkpoint of these cells has. */
  load({ cells, blocks, values, unknown }: StoreCheckpoint): void {
    for (let page = 0; page < this.#words.length; page++) {
      this.#living[page] = 0;
      this.#clear(page);
      this.#known[page] = (page + 1) * PAGE_CELLS <= cells ? ALL_KNOWN : NONE_KNOWN;
    }
    this.knowAll(cells & ~IN_PAGE, cells & IN_PAGE, 1);
    for (let i = 0; i < unknown.length; i += 2)
      this.knowAll(unknown[i] as number, unknown[i + 1] as number, 0);
    for (let i = 0; i < blocks.length; i += 2) this.hold(blocks[i] as number, blocks[i + 1] as number);
    forPieces(blocks, (page, from, to, at) => {
      if (this.#words[page] === NO_WORDS) this.#own(page);
      (this.#values[page] as BigUint64Array).set(values.subarray(at, at + to - from), from);
    });
  }

  /** Gives a page memory of its own. */
  #own(page: number): Uint32Array {
    const values = this.#spare.pop() ?? new BigUint64Array(PAGE_CELLS);
    const words = new Uint32Array(values.buffer);
    this.#values[page] = values;
    this.#words[page] = words;
    return words;
  }

  /** Takes the memory of a page where nothing in it differs from that of any page of dead objects. */
  #disown(page: number): void {
    const words = this.#words[page] as Uint32Array;
    if (words !== NO_WORDS && isZero(words)) this.#clear(page);
    const known = this.#known[page] as Uint8Array;
    if (known !== ALL_KNOWN && known.indexOf(0) < 0) this.#known[page] = ALL_KNOWN;
  }

  #clear(page: number): void {
    const values = this.#values[page] as BigUint64Array;
    if (values === NO_VALUES) return;
    this.#spare.push(values.fill(0n));
    this.#values[page] = NO_VALUES;
    this.#words[page] = NO_WORDS;
  }
}

function isZero(words: Uint32Array): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

/** Walks blocks of cells in pieces that do not cross pages; `at` counts the cells that were walked before. */
function forPieces(
  blocks: ArrayLike<number>,
  walk: (page: number, from: number, to: number, at: number) => void,
): void {
  let at = 0;
  for (let i = 0; i < blocks.length; i += 2) {
    const end = (blocks[i] as number) + (blocks[i + 1] as number);
    for (let cell = blocks[i] as number; cell < end; ) {
      const from = cell & IN_PAGE;
      const to = Math.min(PAGE_CELLS, from + end - cell);
      walk(cell >>> PAGE_SHIFT, from, to, at);
      at += to - from;
      cell += to - from;
    }
  }
}
