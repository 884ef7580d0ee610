import { bytesOfHex, hexOf, hexOfBytes } from '../abi/index.ts';
import { type KindRegistry, kindPath } from '../state/kind-path.ts';
import type { Key, ObjectId, ObjectRow } from '../state/store.ts';
import { isCount, seqOf } from '../trace/position.ts';
import { isObject, type Json, type JsonObject } from '../trace/text/json.ts';
import type { OpenCall } from './frame.ts';
import { isSound, type Start } from './start.ts';

/** Raised when the form changes; a reader refuses others. */
const VERSION = 1;
/** Slot 0 says that the object exists. */
const FIRST_CELL = 1;
const U32 = 0x1_0000_0000;

/**
 * The state with which a flight recorder's trace starts, as one JSON object: calls under way, every object that there has been
 * (`[id, kind, parent, key]`, and for those that exist the cells that are not 0, by slot), runs of cells that are not known, interned
 * bytes, components, and how far the journal and its hash had come. For the event text and the packed form (docs/event-text.md, `start`).
 */
export function formatStart({ store, tables, open }: Start): string {
  const cells = new Map<number, readonly (number | string)[]>();
  let value = 0;
  for (let i = 0; i < store.blocks.length; i += 2) {
    const [id, length] = [store.blocks[i] as number, store.blocks[i + 1] as number];
    const own: (number | string)[] = [];
    for (let slot = FIRST_CELL; slot < length; slot++) {
      const cell = store.values[value + slot] as bigint;
      if (cell !== 0n) own.push(slot, hexOf(cell));
    }
    cells.set(id, own);
    value += length;
  }
  const objects = Array.from(tables.objects, ({ id, kind, parent, key }) => {
    const row = [id, kindPath(kind), parent, typeof key === 'number' ? key : hexOf(key)];
    const own = cells.get(id);
    return own === undefined ? row : [...row, own];
  });
  return JSON.stringify({
    version: VERSION,
    calls: open.map(({ seq, sub, waits }) => ({ seq, sub, waits })),
    objects,
    unknown: [...store.unknown],
    bytes: Array.from(tables.blobs, hexOfBytes),
    components: tables.components,
    journal: { entries: store.entries, ...store.hash },
  });
}

/** Undoes {@link formatStart}; undefined for anything else, and for kinds of object that this engine does not have. */
export function readStart(json: JsonObject, registry: KindRegistry): Start | undefined {
  const { version, calls, objects, unknown, bytes, components, journal } = json;
  const open = listOf(calls, readCall);
  const rows = listOf(objects, (row) => readObject(row, registry));
  const runs = listOf(unknown, readCount);
  const blobs = listOf(bytes, readBytes);
  const names = listOf(components, (name) => (typeof name === 'string' ? name : undefined));
  const { entries, a, b, words } = isObject(journal) ? journal : {};
  if (version !== VERSION || open === undefined || rows === undefined || runs === undefined) return undefined;
  if (blobs === undefined || names === undefined || !isCount(entries) || !isCount(words)) return undefined;
  if (!isWord(a) || !isWord(b) || open.some(({ seq }, i) => seq !== i + 1)) return undefined;
  const cells = rows.reduce((end, { row }) => Math.max(end, row.id + row.kind.info.length), 0);
  if (!areRuns(runs, cells)) return undefined;
  const existing = rows.filter((one) => one.cells !== undefined);
  const values = new BigUint64Array(existing.reduce((sum, { row }) => sum + row.kind.info.length, 0));
  const blocks = new Uint32Array(existing.length * 2);
  let value = 0;
  for (const [i, { row, cells: own = [] }] of existing.entries()) {
    const { length } = row.kind.info;
    blocks.set([row.id, length], i * 2);
    values[value] = 1n;
    for (const [slot, cell] of own) values[value + slot] = cell;
    value += length;
  }
  const tables = { objects: rows.map(({ row }) => row), blobs, components: names };
  const store = {
    ...{ cells, blocks, values, unknown: Uint32Array.from(runs), entries, hash: { a, b, words } },
    ...{ objects: rows.length, blobs: blobs.length, components: names.length },
  };
  return isSound(store, tables) ? { store, tables, open } : undefined;
}

interface ReadObject {
  readonly row: ObjectRow;
  /** Undefined where it does not exist any more. */
  readonly cells: readonly (readonly [slot: number, value: bigint])[] | undefined;
}

function readObject(json: Json, registry: KindRegistry): ReadObject | undefined {
  if (!isList(json) || json.length < 4 || json.length > 5) return undefined;
  const [id, path, parent, key, own] = json;
  const kind = typeof path === 'string' ? registry(path) : undefined;
  const readable = typeof key === 'string' ? readHex(key) : isCount(key) ? key : undefined;
  if (kind === undefined || readable === undefined || !isCount(id) || id >= U32) return undefined;
  if (!Number.isSafeInteger(parent)) return undefined;
  const row = { id: id as ObjectId, kind, parent: parent as ObjectId, key: readable as Key };
  if (own === undefined) return { row, cells: undefined };
  if (!isList(own) || own.length % 2 !== 0) return undefined;
  const cells: [number, bigint][] = [];
  for (let i = 0; i < own.length; i += 2) {
    const [slot, text] = [own[i], own[i + 1]];
    const value = typeof text === 'string' ? readHex(text) : undefined;
    if (!isCount(slot) || slot < FIRST_CELL || slot >= kind.info.length || value === undefined)
      return undefined;
    cells.push([slot, value]);
  }
  return { row, cells };
}

function readCall(json: Json): OpenCall | undefined {
  if (!isObject(json)) return undefined;
  const { seq, sub, waits } = json;
  return isCount(seq) && isCount(sub) && typeof waits === 'boolean'
    ? { seq: seqOf(seq), sub, waits }
    : undefined;
}

/** First cell and length of each run, in order and apart. */
function areRuns(runs: readonly number[], cells: number): boolean {
  let end = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [first = 0, length = 0] = [runs[i], runs[i + 1]];
    if (first < end || length < 1 || first + length > cells) return false;
    end = first + length;
  }
  return runs.length % 2 === 0;
}

/** Each item read; undefined where it is no list, or one of them cannot be read. */
function listOf<T>(json: Json | undefined, read: (item: Json) => T | undefined): T[] | undefined {
  if (!isList(json)) return undefined;
  const items: T[] = [];
  for (const item of json) {
    const value = read(item);
    if (value === undefined) return undefined;
    items.push(value);
  }
  return items;
}

function readCount(json: Json): number | undefined {
  return isCount(json) ? json : undefined;
}

function readHex(text: string): bigint | undefined {
  return /^0x[0-9a-f]{1,16}$/.test(text) ? BigInt(text) : undefined;
}

/** As written: other text of event text may have capitals, this has one form. */
function readBytes(json: Json): Uint8Array | undefined {
  return typeof json === 'string' && !/[A-F]/.test(json) ? bytesOfHex(json) : undefined;
}

function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

/** A word of the hash: 32 bits, signed. */
function isWord(json: Json | undefined): json is number {
  return Number.isSafeInteger(json) && (json as number) === ((json as number) | 0);
}
