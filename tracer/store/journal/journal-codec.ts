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

/** Undoes the 1 that was added to `sub`, modulo 2^32. */
const MINUS_ONE = 0xffff_ffff;

/** The `data` of a row of `journal`. */
export function encodeJournal(chunk: JournalChunk): Buffer {
  const { count } = chunk;
  const out = new ByteWriter(count * 12);
  const old = new Uint32Array(chunk.old.buffer, chunk.old.byteOffset, count * 2);
  const now = new Uint32Array(chunk.now.buffer, chunk.now.byteOffset, count * 2);
  for (let i = 0, last = 0; i < count; i += 1) {
    const cell = chunk.cell[i] as number;
    out.signed(cell - last);
    last = cell;
  }
  for (let i = 0, last = 0; i < count; i += 1) {
    const seq = chunk.seq[i] as number;
    out.signed(seq - last);
    last = seq;
  }
  // The return of a call (all ones) becomes 0.
  for (let i = 0; i < count; i += 1) out.unsigned(((chunk.sub[i] as number) + 1) >>> 0);
  for (let i = 0; i < count; i += 1) out.unsigned(chunk.component[i] as number);
  for (let i = 0; i < count; i += 1) out.byte(chunk.flags[i] as number);
  for (const half of [0, 1]) {
    const slots = new Uint32Array(SLOTS);
    for (let i = 0; i < count; i += 1) {
      const slot = (chunk.cell[i] as number) % SLOTS;
      out.unsigned(((old[2 * i + half] as number) ^ (slots[slot] as number)) >>> 0);
      slots[slot] = now[2 * i + half] as number;
    }
    for (let i = 0; i < count; i += 1)
      out.unsigned(((now[2 * i + half] as number) ^ (old[2 * i + half] as number)) >>> 0);
  }
  return zstdCompressSync(out.bytes());
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
