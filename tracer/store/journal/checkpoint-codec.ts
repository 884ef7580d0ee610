import { zstdCompressSync } from 'node:zlib';
import type { StoreCheckpoint, StoreTables } from '../../../engine/state/checkpoint.ts';
import type { HashState } from '../../../engine/state/hash.ts';
import { type KindRegistry, kindPath } from '../../../engine/state/kind-path.ts';
import type { Key, ObjectId, ObjectRow } from '../../../engine/state/store.ts';
import { inflate } from './journal-codec.ts';

/** How far the tables had grown. */
export interface TableSizes {
  readonly objects: number;
  readonly blobs: number;
  readonly components: number;
}

/** A checkpoint with at most so many cells is read: 64 Mi cells are half a gigabyte. */
const MAX_CELLS = 64 * 1024 * 1024;
const MAX_GROWTH_BYTES = 256 * 1024 * 1024;

/** What the `state` of a row holds. */
type State = Pick<StoreCheckpoint, 'blocks' | 'values' | 'unknown'>;

/**
 * `state` of a row of `checkpoint`: under zstd, the number of blocks and of unknown runs, then first cell and length
 * of each block and of each run (32 bits each), then the values of the blocks (64 bits each); little-endian.
 */
export function encodeCheckpoint({ blocks, unknown, values }: StoreCheckpoint): Buffer {
  const counts = Uint32Array.of(blocks.length / 2, unknown.length / 2);
  const parts = [counts, blocks, unknown, values];
  return zstdCompressSync(
    Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))),
  );
}

/** Undefined for what is not the state of a machine with so many cells. */
export function decodeState(state: Uint8Array, cells: number): State | undefined {
  if (cells < 0 || cells > MAX_CELLS) return undefined;
  // At most a block of one cell for each cell, with its value, and a run for every second.
  const bytes = inflate(state, 8 + cells * (8 + 8) + (cells + 1) * 4);
  if (bytes === undefined || bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [blocks, unknown] = [view.getUint32(0, true) * 2, view.getUint32(4, true) * 2];
  const valuesAt = 8 + (blocks + unknown) * 4;
  const left = bytes.length - valuesAt;
  if (left < 0 || left % 8 !== 0) return undefined;
  const found: State = {
    blocks: Uint32Array.from({ length: blocks }, (_, i) => view.getUint32(8 + i * 4, true)),
    unknown: Uint32Array.from({ length: unknown }, (_, i) => view.getUint32(8 + (blocks + i) * 4, true)),
    values: new BigUint64Array(left / 8),
  };
  new Uint8Array(found.values.buffer).set(bytes.subarray(valuesAt));
  if (cellsIn(found.unknown, cells) === undefined) return undefined;
  return cellsIn(found.blocks, cells) === found.values.length ? found : undefined;
}

/** How many cells runs have together; undefined where they are not in order and apart, or reach beyond `cells`. */
function cellsIn(runs: Uint32Array, cells: number): number | undefined {
  let [end, sum] = [0, 0];
  for (let i = 0; i < runs.length; i += 2) {
    const [first, length] = [runs[i] as number, runs[i + 1] as number];
    if (first < end || length === 0 || first + length > cells) return undefined;
    end = first + length;
    sum += length;
  }
  return sum;
}

/** Parsed strictly: `a`, `b` as signed 32-bit numbers and the count of words. */
export function decodeHash(json: string): HashState | undefined {
  const hash = parse(json) as Partial<HashState> | undefined;
  if (typeof hash !== 'object' || hash === null) return undefined;
  const { a, b, words } = hash;
  return Number.isSafeInteger(a) && Number.isSafeInteger(b) && Number.isSafeInteger(words)
    ? { a: a as number, b: b as number, words: words as number }
    : undefined;
}

/** `growth` of a row of `checkpoint`: what the tables have more than before, as JSON under zstd. */
export function encodeGrowth(before: TableSizes, checkpoint: TableSizes, tables: StoreTables): Buffer {
  const growth = {
    objects: tables.objects
      .slice(before.objects, checkpoint.objects)
      .map(({ id, kind, parent, key }) => [id, kindPath(kind), parent, keyJson(key)]),
    blobs: tables.blobs
      .slice(before.blobs, checkpoint.blobs)
      .map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')),
    components: tables.components.slice(before.components, checkpoint.components),
  };
  return zstdCompressSync(Buffer.from(JSON.stringify(growth)));
}

/** Adds a row's growth to `tables`; false where the row is damaged, or holds a kind that is not registered. */
export function addGrowth(
  growth: Uint8Array,
  registry: KindRegistry,
  tables: { objects: ObjectRow[]; blobs: Uint8Array[]; components: string[] },
): boolean {
  const json = inflate(growth, MAX_GROWTH_BYTES);
  const found = json === undefined ? undefined : parse(Buffer.from(json).toString());
  if (typeof found !== 'object' || found === null) return false;
  const { objects, blobs, components } = found as Record<string, unknown>;
  if (!Array.isArray(objects) || !Array.isArray(blobs) || !Array.isArray(components)) return false;
  for (const item of objects as unknown[]) {
    const row = readObject(item, registry);
    if (row === undefined) return false;
    tables.objects.push(row);
  }
  for (const item of blobs as unknown[]) {
    if (typeof item !== 'string') return false;
    tables.blobs.push(new Uint8Array(Buffer.from(item, 'base64')));
  }
  for (const item of components as unknown[]) {
    if (typeof item !== 'string') return false;
    tables.components.push(item);
  }
  return true;
}

function readObject(item: unknown, registry: KindRegistry): ObjectRow | undefined {
  if (!Array.isArray(item)) return undefined;
  const [id, path, parent, key] = item as unknown[];
  if (!Number.isSafeInteger(id) || !Number.isSafeInteger(parent) || typeof path !== 'string')
    return undefined;
  const kind = registry(path);
  const read = readKey(key);
  if (kind === undefined || read === undefined) return undefined;
  return { id: id as ObjectId, kind, parent: parent as ObjectId, key: read };
}

/** Keys above 2^53 are `0x…` text. */
function keyJson(key: Key): number | string {
  return typeof key === 'number' ? key : `0x${key.toString(16)}`;
}

function readKey(json: unknown): Key | undefined {
  if (Number.isSafeInteger(json)) return json as number;
  return typeof json === 'string' && /^0x[0-9a-f]{1,16}$/.test(json) ? BigInt(json) : undefined;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}
