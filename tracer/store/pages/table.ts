import { cursor, u16, u32, varint } from './bytes.ts';
import type { Page, PageReader } from './record.ts';

/** A leaf page of a table, and the first of its cells whose rowid is not below the one looked for. */
export interface LeafPlace extends Page {
  readonly cell: number;
  readonly cells: number;
}

const INTERIOR_TABLE = 0x05;
const LEAF_TABLE = 0x0d;
/** No table of a file of 2^53 bytes is deeper; a page that leads back to itself is damage. */
const MAX_DEPTH = 20;

/** Finds a rowid in a table (SQLite file format, section 1.6); undefined where a page on the way is damaged. */
export function findLeaf(pages: PageReader, root: number, rowid: number): LeafPlace | undefined {
  let number = root;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const bytes = pages.read(number);
    if (bytes === undefined) return undefined;
    const at = number === 1 ? 100 : 0;
    const type = bytes[at];
    const pointers = at + (type === LEAF_TABLE ? 8 : 12);
    const cells = u16(bytes, at + 3);
    if ((type !== LEAF_TABLE && type !== INTERIOR_TABLE) || pointers + 2 * cells > bytes.length)
      return undefined;
    const cell = firstFrom(bytes, pointers, cells, rowid, type === LEAF_TABLE);
    if (type === LEAF_TABLE) return { number, bytes, cell, cells };
    // A child holds the rowids up to its key; those above all keys are in the right-most child.
    number = cell === cells ? u32(bytes, at + 8) : u32(bytes, u16(bytes, pointers + 2 * cell));
  }
  return undefined;
}

/** The first cell whose rowid is not below `rowid`; `cells` where all are. */
function firstFrom(bytes: Uint8Array, pointers: number, cells: number, rowid: number, leaf: boolean): number {
  let low = 0;
  let high = cells;
  while (low < high) {
    const middle = (low + high) >> 1;
    const cell = u16(bytes, pointers + 2 * middle);
    // A leaf's cell begins with the size of its record, an inner one's with the number of its child.
    const before = leaf ? varint(bytes, cell) : 0;
    const key = varint(bytes, leaf && before >= 0 ? cursor.at : cell + 4);
    if (key < rowid) low = middle + 1;
    else high = middle;
  }
  return low;
}
