import { RecordWriter, type StoredValue, varintBytes, writeVarint } from './record-writer.ts';

/** The page size of the databases that are built, with no bytes reserved at the end of a page. */
export const PAGE_BYTES = 4096;

const LEAF_TABLE = 0x0d;
const INTERIOR_TABLE = 0x05;
const LEAF_HEADER = 8;
const INTERIOR_HEADER = 12;
/** Longest record that stands in its leaf alone, and what of a longer one does at least (1.6, "Cell Payload Overflow"). */
const MAX_LOCAL = PAGE_BYTES - 35;
const MIN_LOCAL = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23;
const OVERFLOW_BYTES = PAGE_BYTES - 4;
/** A cell of an interior page takes at most 14 bytes: number, rowid, pointer. (4096 - 12) / 14 = 291. */
const FANOUT = 256;

/** A database as it is built: its pages, one behind the other. */
export class DatabaseImage {
  #bytes: Uint8Array;
  #pages: number;
  readonly #kept: number;

  /** `first` is a whole database: its header and schema stay, and further pages come behind. */
  constructor(first: Uint8Array) {
    this.#pages = first.length / PAGE_BYTES;
    this.#kept = this.#pages;
    this.#bytes = new Uint8Array(64 * PAGE_BYTES);
    this.#bytes.set(first);
  }

  get pages(): number {
    return this.#pages;
  }

  /** All of its bytes, with the header made right: who has read it before sees that it is another one now. */
  finish(): Uint8Array {
    const view = new DataView(this.#bytes.buffer);
    const counter = view.getUint32(24) + 1;
    view.setUint32(24, counter);
    view.setUint32(28, this.#pages);
    view.setUint32(92, counter);
    return this.#bytes.subarray(0, this.#pages * PAGE_BYTES);
  }

  /** Gives up all pages but those of the beginning. */
  reset(): void {
    this.#pages = this.#kept;
  }

  /** Number of a new page. Its bytes are of no meaning yet. */
  allocate(): number {
    this.#pages += 1;
    if (this.#pages * PAGE_BYTES > this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#bytes.length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    return this.#pages;
  }

  page(number: number): Uint8Array {
    return this.#bytes.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES);
  }
}

interface Child {
  readonly page: number;
  /** The largest rowid in it. */
  readonly last: number;
}

/** Fills a table with rows in order of their rowid (SQLite's file format, 1.6). */
export class TableBuilder {
  readonly #image: DatabaseImage;
  readonly #root: number;
  readonly #record = new RecordWriter();
  #leaves: Child[] = [];
  #number = 0;
  #page: Uint8Array = new Uint8Array(0);
  #cells = 0;
  #top = PAGE_BYTES;
  #last = 0;

  constructor(image: DatabaseImage, root: number) {
    this.#image = image;
    this.#root = root;
  }

  /** Begins anew, with no row. */
  begin(): void {
    this.#leaves = [];
    this.#last = 0;
    this.#open();
  }

  /** Adds a row. Its first column is the rowid itself. */
  add(values: readonly StoredValue[]): void {
    const rowid = values[0] as number;
    const size = this.#record.measure(values);
    const local = size <= MAX_LOCAL ? size : localPart(size);
    const head = varintBytes(size) + varintBytes(rowid);
    const cell = head + local + (local < size ? 4 : 0);
    if (LEAF_HEADER + 2 * (this.#cells + 1) + cell > this.#top) {
      this.#close();
      this.#open();
    }
    this.#top -= cell;
    let at = writeVarint(this.#page, this.#top, size);
    at = writeVarint(this.#page, at, rowid);
    if (local === size) this.#record.write(this.#page, at, values);
    else this.#spill(at, size, local, values);
    put16(this.#page, LEAF_HEADER + 2 * this.#cells, this.#top);
    this.#cells += 1;
    this.#last = rowid;
  }

  /** Writes the tree above the rows. */
  finish(): void {
    this.#close();
    let level = this.#leaves;
    while (level.length > FANOUT) {
      const above: Child[] = [];
      // No page may be left with one child alone: it would have no cell.
      const parts = Math.ceil(level.length / FANOUT);
      for (let i = 0; i < parts; i += 1) {
        const children = level.slice(share(level, i, parts), share(level, i + 1, parts));
        const number = this.#image.allocate();
        writeInterior(this.#image.page(number), children);
        above.push({ page: number, last: (children.at(-1) as Child).last });
      }
      level = above;
    }
    const root = this.#image.page(this.#root);
    if (level.length === 1) root.set(this.#image.page((level[0] as Child).page));
    else writeInterior(root, level);
  }

  #open(): void {
    this.#number = this.#image.allocate();
    this.#page = this.#image.page(this.#number);
    this.#cells = 0;
    this.#top = PAGE_BYTES;
  }

  #close(): void {
    // The image may have moved: overflow pages were allocated, or those of another table.
    this.#page = this.#image.page(this.#number);
    writeHeader(this.#page, LEAF_TABLE, this.#cells, this.#top);
    this.#leaves.push({ page: this.#number, last: this.#last });
  }

  #spill(at: number, size: number, local: number, values: readonly StoredValue[]): void {
    const whole = new Uint8Array(size);
    this.#record.write(whole, 0, values);
    this.#page.set(whole.subarray(0, local), at);
    let pointer = { page: this.#number, at: at + local };
    for (let from = local; from < size; from += OVERFLOW_BYTES) {
      const number = this.#image.allocate();
      put32(this.#image.page(pointer.page), pointer.at, number);
      const page = this.#image.page(number);
      put32(page, 0, 0);
      page.set(whole.subarray(from, from + OVERFLOW_BYTES), 4);
      pointer = { page: number, at: 0 };
    }
    this.#page = this.#image.page(this.#number);
  }
}

function localPart(size: number): number {
  const local = MIN_LOCAL + ((size - MIN_LOCAL) % OVERFLOW_BYTES);
  return local <= MAX_LOCAL ? local : MIN_LOCAL;
}

function share(level: readonly Child[], part: number, parts: number): number {
  return Math.floor((level.length * part) / parts);
}

function writeInterior(page: Uint8Array, children: readonly Child[]): void {
  const cells = children.length - 1;
  let top = PAGE_BYTES;
  for (let i = 0; i < cells; i += 1) {
    const child = children[i] as Child;
    top -= 4 + varintBytes(child.last);
    put32(page, top, child.page);
    writeVarint(page, top + 4, child.last);
    put16(page, INTERIOR_HEADER + 2 * i, top);
  }
  writeHeader(page, INTERIOR_TABLE, cells, top);
  put32(page, 8, (children.at(-1) as Child).page);
}

function writeHeader(page: Uint8Array, type: number, cells: number, top: number): void {
  page[0] = type;
  put16(page, 1, 0);
  put16(page, 3, cells);
  put16(page, 5, top);
  page[7] = 0;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

function put32(bytes: Uint8Array, at: number, value: number): void {
  put16(bytes, at, value >>> 16);
  put16(bytes, at + 2, value);
}
