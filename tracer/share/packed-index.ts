/**
 * A `.hvtrace.zst` is a row of zstd frames, each with one frame of the packed event stream (engine/trace/packed),
 * and at the end a skippable frame (RFC 8878, 3.1.2), which zstd passes over: the index, by which one chunk is
 * found and unpacked alone, and by which no frame can grow beyond what it declares. All numbers little-endian.
 */
export interface PackedFrame {
  /** Bytes in the file. */
  readonly packed: number;
  /** Bytes of the packed event stream. */
  readonly size: number;
  /** Events in it; 0 for the header, which is the first frame. */
  readonly events: number;
}

const SKIPPABLE_MAGIC = 0x184d2a5b;
/** `HVRI`. */
const INDEX_MAGIC = 0x49525648;
const HEAD_BYTES = 8;
const ENTRY_BYTES = 12;
/** Number of entries and magic, last in the file. */
export const FOOTER_BYTES = 8;

export function encodeIndex(frames: readonly PackedFrame[]): Uint8Array {
  const size = frames.length * ENTRY_BYTES + FOOTER_BYTES;
  const bytes = new Uint8Array(HEAD_BYTES + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SKIPPABLE_MAGIC, true);
  view.setUint32(4, size, true);
  frames.forEach((frame, i) => {
    const at = HEAD_BYTES + i * ENTRY_BYTES;
    view.setUint32(at, frame.packed, true);
    view.setUint32(at + 4, frame.size, true);
    view.setUint32(at + 8, frame.events, true);
  });
  view.setUint32(HEAD_BYTES + size - FOOTER_BYTES, frames.length, true);
  view.setUint32(HEAD_BYTES + size - 4, INDEX_MAGIC, true);
  return bytes;
}

/** Bytes of the whole index from its footer; undefined where it is no footer. */
export function indexBytes(footer: Uint8Array): number | undefined {
  const view = new DataView(footer.buffer, footer.byteOffset, footer.length);
  if (footer.length !== FOOTER_BYTES || view.getUint32(4, true) !== INDEX_MAGIC) return undefined;
  return HEAD_BYTES + view.getUint32(0, true) * ENTRY_BYTES + FOOTER_BYTES;
}

/** The frames of an index of that many bytes; undefined where it is damaged. */
export function decodeIndex(bytes: Uint8Array): PackedFrame[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== SKIPPABLE_MAGIC || view.getUint32(4, true) !== bytes.length - HEAD_BYTES)
    return undefined;
  const frames: PackedFrame[] = [];
  for (let at = HEAD_BYTES; at < bytes.length - FOOTER_BYTES; at += ENTRY_BYTES) {
    frames.push({
      packed: view.getUint32(at, true),
      size: view.getUint32(at + 4, true),
      events: view.getUint32(at + 8, true),
    });
  }
  return frames;
}
