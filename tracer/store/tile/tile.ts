import { EVENT_KINDS, type EventKind } from '../../../engine/trace/event.ts';
import { type Seq, seqOf } from '../../../engine/trace/position.ts';
import { ByteReader, ByteWriter } from '../journal/varint.ts';

/** Events in a bucket of level 0. */
const LEAST_EVENTS = 1024;
/** Buckets that one of the next level joins. */
const LEVEL_FACTOR = 8;
/** A bucket of this level has 2^31 events; what is counted fits in 32 bits. */
export const MAX_TILE_LEVEL = 7;

/** Events of one kind in a tile. */
export interface TileCount {
  readonly kind: EventKind;
  readonly count: number;
  /** Those whose answer says that it did not work. */
  readonly failed: number;
  /** The first one. */
  readonly first: Seq;
}

/** A row of `tile`, in the order of its columns; the lane is the number of an actor. */
export type TileRow = readonly [level: number, lane: number, bucket: number, data: Uint8Array];

/** Number of events in a bucket; bucket 0 begins at event 1. */
export function tileEvents(level: number): number {
  return LEAST_EVENTS * LEVEL_FACTOR ** level;
}

/** The `data` of a tile (docs/format.md); kinds come in the order of EVENT_KINDS. */
export function encodeTile(level: number, bucket: number, counts: readonly TileCount[]): Uint8Array {
  const bytes = new ByteWriter(counts.length * 8);
  const before = bucket * tileEvents(level) + 1;
  for (const { kind, count, failed, first } of counts) {
    bytes.byte(EVENT_KINDS.indexOf(kind));
    bytes.unsigned(count);
    bytes.unsigned(failed);
    bytes.unsigned(first - before);
  }
  return bytes.bytes();
}

/** Reads it back; undefined where it is none that {@link encodeTile} makes. */
export function decodeTile(level: number, bucket: number, data: Uint8Array): TileCount[] | undefined {
  const size = tileEvents(level);
  const bytes = new ByteReader(data);
  const counts: TileCount[] = [];
  let last = -1;
  while (!bytes.ended) {
    const number = bytes.byte();
    const kind = EVENT_KINDS[number];
    const [count, failed, offset] = [bytes.unsigned(), bytes.unsigned(), bytes.unsigned()];
    // Kinds rise, so that a tile of any length ends after nine of them.
    if (kind === undefined || number <= last || count < 1 || failed > count || offset + count > size)
      return undefined;
    counts.push({ kind, count, failed, first: seqOf(bucket * size + 1 + offset) });
    last = number;
  }
  return counts.length === 0 ? undefined : counts;
}
