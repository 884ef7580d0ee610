import type { Rows } from './rows.ts';
import type { SlotInfo } from './schema.ts';
import { type CellId, type Key, type ObjectId, type ObjectRow, TOP } from './store.ts';

/** Names cells by path and finds cells by path or pattern; over the allocation table of a store. */
export class CellPaths {
  readonly #objects: Rows<ObjectRow>;
  readonly #rows = new Map<ObjectId, ObjectRow>();
  readonly #paths = new Map<ObjectId, string>();
  #seen = 0;

  constructor(objects: Rows<ObjectRow>) {
    this.#objects = objects;
  }

  /** The object whose block holds a cell. */
  objectOf(cell: CellId): ObjectRow {
    this.#catchUp();
    let lo = 0;
    let hi = this.#objects.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if ((this.#objects.at(mid) as ObjectRow).id <= cell) lo = mid;
      else hi = mid - 1;
    }
    const row = this.#objects.at(lo);
    if (row === undefined || cell >= row.id + row.kind.info.length) throw new RangeError(`no cell ${cell}`);
    return row;
  }

  /** What the cell is: its place and hint in the object's kind. */
  slotOf(cell: CellId): SlotInfo {
    const row = this.objectOf(cell);
    return row.kind.info[cell - row.id] as SlotInfo;
  }

  /** `partition[2].vp[0]` */
  objectPath(row: ObjectRow): string {
    this.#catchUp();
    return this.#paths.get(row.id) as string;
  }

  /** `cpu[0].synic.scontrol`; the path of the object itself for its existence cell. */
  path(cell: CellId): string {
    const row = this.objectOf(cell);
    return joined(this.objectPath(row), (row.kind.info[cell - row.id] as SlotInfo).path);
  }

  /**
   * Cells that a path or pattern names, in table order: an exact cell, everything below an object or group
   * (`cpu[0]`, `cpu[0].synic`), with `*` for any key. Existence cells are not listed. Undefined when the text
   * is no path. `among` leaves out objects before their paths are looked at: a long trace has many that are gone.
   */
  find(pattern: string, among?: (row: ObjectRow) => boolean): CellId[] | undefined {
    const wanted = parsePattern(pattern);
    if (wanted === undefined) return undefined;
    this.#catchUp();
    const found: CellId[] = [];
    for (const row of this.#objects) {
      if (among !== undefined && !among(row)) continue;
      const path = this.objectPath(row);
      if (!mayHold(wanted, path)) continue;
      for (let slot = 1; slot < row.kind.info.length; slot++) {
        const full = joined(path, (row.kind.info[slot] as SlotInfo).path);
        if (matches(wanted, full)) found.push((row.id + slot) as CellId);
      }
    }
    return found;
  }

  #catchUp(): void {
    for (; this.#seen < this.#objects.length; this.#seen++) {
      const row = this.#objects.at(this.#seen) as ObjectRow;
      this.#rows.set(row.id, row);
      const parent = row.parent === TOP ? '' : (this.#paths.get(row.parent) as string);
      this.#paths.set(row.id, joined(parent, `${row.kind.name}${printKey(row.key, row.kind.key)}`));
    }
  }
}

function printKey(key: Key, form: 'decimal' | 'hex' | 'none'): string {
  if (form === 'none') return '';
  return form === 'hex' ? `[0x${key.toString(16)}]` : `[${key}]`;
}

function joined(parent: string, child: string): string {
  if (parent === '' || child === '') return parent + child;
  return `${parent}.${child}`;
}

interface Segment {
  readonly name: string;
  /** undefined: no key given; '*': any; else the number. */
  readonly key: bigint | '*' | undefined;
}

const SEGMENT = /^([a-z][a-zA-Z0-9]*)(?:\[(\*|[0-9]{1,20}|0x[0-9a-fA-F]{1,16})\])?$/;

function parsePattern(text: string): Segment[] | undefined {
  const segments: Segment[] = [];
  if (text === '') return segments;
  for (const part of text.split('.')) {
    const match = SEGMENT.exec(part);
    if (match === null) return undefined;
    const key = match[2];
    segments.push({
      name: match[1] as string,
      key: key === undefined || key === '*' ? key : BigInt(key),
    });
  }
  return segments;
}

/** The pattern names this path or something above it. */
function matches(wanted: readonly Segment[], path: string): boolean {
  const parts = path.split('.');
  if (parts.length < wanted.length) return false;
  return wanted.every((segment, i) => sameSegment(segment, parts[i] as string, i === wanted.length - 1));
}

/** Something below this object may match. */
function mayHold(wanted: readonly Segment[], objectPath: string): boolean {
  const parts = objectPath.split('.');
  const n = Math.min(parts.length, wanted.length);
  for (let i = 0; i < n; i++) {
    if (!sameSegment(wanted[i] as Segment, parts[i] as string, true)) return false;
  }
  return true;
}

function sameSegment(wanted: Segment, part: string, last: boolean): boolean {
  const match = SEGMENT.exec(part);
  if (match === null || match[1] !== wanted.name) return false;
  const key = match[2];
  if (wanted.key === '*') return key !== undefined;
  // `cpu` names every CPU, but `cpu.synic` is no path: a key may be left out at the end alone.
  if (wanted.key === undefined) return key === undefined || last;
  return key !== undefined && BigInt(key) === wanted.key;
}
