import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { JOURNAL_CHUNK_ENTRIES, type JournalChunk, newChunk } from '../../../engine/state/journal.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/**
 * A journal chunk as bytes (docs/format.md, "journal"): one column after the other, numbers as differences to
 * what they probably are, all of it under zstd. A cell's old value is most often what was last written to that
 * cell; `#slots` remembers that by the low bits of the cell's number, which costs no memory and needs no table.
 */
const SLOTS = 1 << 14;

/** More than any entry takes before zstd: two 32-bit numbers of at most five bytes for each of six columns. */
const MAX_ENTRY_BYTES = 48;

/** Room for an entry at first; it grows. */
const FIRST_ENTRY_BYTES = 16;

/** Undoes the 1 that was added to `sub`, modulo 2^32. */
const MINUS_ONE = 0xffff_ffff;

/** The `data` of a row of `journal`. */
export function encodeJournal(chunk: JournalChunk): Buffer {
  const { count } = chunk;
  const out = new ByteWriter(count * FIRST_ENTRY_BYTES);
  const old = new Uint32Array(chunk.old.buffer, chunk.old.byteOffset, count * 2);
  const now = new Uint32Array(chunk.now.buffer, chunk.now.byteOffset, count * 2);
  const cells = chunk.cell.subarray(0, count);
  const column = new Uint32Array(count);
  out.differences(cells);
  out.differences(chunk.seq.subarray(0, count));
  // The return of a call (all ones) becomes 0.
  for (let i = 0; i < count; i += 1) column[i] = (chunk.sub[i] as number) + 1;
  out.column(column);
  column.set(chunk.component.subarray(0, count));
  out.column(column);
  out.append(chunk.flags.subarray(0, count));
  for (const half of [0, 1]) {
    oldValues(column, cells, old, now, half);
    out.column(column);
    for (let i = 0; i < count; i += 1)
      column[i] = (now[2 * i + half] as number) ^ (old[2 * i + half] as number);
    out.column(column);
  }
  return zstdCompressSync(out.bytes());
}

/** One half of the old values, as differences to what was last written at their places. */
function oldValues(
  column: Uint32Array,
  cells: Uint32Array,
  old: Uint32Array,
  now: Uint32Array,
  half: number,
): void {
  const slots = new Uint32Array(SLOTS);
  for (let i = 0; i < cells.length; i += 1) {
    const slot = (cells[i] as number) % SLOTS;
    column[i] = (old[2 * i + half] as number) ^ (slots[slot] as number);
    slots[slot] = now[2 * i + half] as number;
  }
}

/** The chunk of a row; undefined where the row is not one that {@link encodeJournal} makes. */
export function decodeJournal(first: number, count: number, data: Uint8Array): JournalChunk | undefined {
  if (count < 1 || count > JOURNAL_CHUNK_ENTRIES) return undefined;
  const bytes = inflate(data, count * MAX_ENTRY_BYTES);
  if (bytes === undefined) return undefined;
  const input = new ByteReader(bytes);
  const chunk = newChunk(first, count);
  chunk.count = count;
  const old = new Uint32Array(chunk.old.buffer);
  const now = new Uint32Array(chunk.now.buffer);
  for (let i = 0, last = 0; i < count; i += 1) {
    last += input.signed();
    chunk.cell[i] = last;
  }
  for (let i = 0, last = 0; i < count; i += 1) {
    last += input.signed();
    chunk.seq[i] = last;
  }
  for (let i = 0; i < count; i += 1) chunk.sub[i] = input.unsigned() + MINUS_ONE;
  for (let i = 0; i < count; i += 1) chunk.component[i] = input.unsigned();
  for (let i = 0; i < count; i += 1) chunk.flags[i] = input.byte();
  for (const half of [0, 1]) {
    // The old value needs the new ones before it, which follow as a column: old is finished in a second pass.
    for (let i = 0; i < count; i += 1) old[2 * i + half] = input.unsigned();
    const slots = new Uint32Array(SLOTS);
    for (let i = 0; i < count; i += 1) {
      const slot = (chunk.cell[i] as number) % SLOTS;
      const before = ((old[2 * i + half] as number) ^ (slots[slot] as number)) >>> 0;
      const after = (before ^ input.unsigned()) >>> 0;
      old[2 * i + half] = before;
      now[2 * i + half] = after;
      slots[slot] = after;
    }
  }
  return input.ended ? chunk : undefined;
}

/** Undoes zstd, but to no more than `limit` bytes; undefined for anything else. */
export function inflate(data: Uint8Array, limit: number): Uint8Array | undefined {
  try {
    return zstdDecompressSync(data, { maxOutputLength: limit });
  } catch {
    return undefined;
  }
}
