/**
 * A `-wal` file (SQLite file format, section 4): a header of 32 bytes, then frames, each a head of 24 bytes and
 * a page. A frame counts if its salts are the header's, its running check sum is right, and a commit follows.
 */
export interface WalFrames {
  readonly pageSize: number;
  /** Offset in the file of the newest committed content of a page. */
  readonly offsetOf: ReadonlyMap<number, number>;
  /** Pages of the database after the last commit. */
  readonly pages: number;
}

const HEADER_BYTES = 32;
const FRAME_HEAD_BYTES = 24;
const MAGIC = 0x377f0682;

/** Reads `length` bytes at `offset`; fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

/** The committed frames of a `-wal`; undefined where its header is not one. */
export function readWal(read: ReadAt): WalFrames | undefined {
  const header = read(0, HEADER_BYTES);
  if (header.length < HEADER_BYTES) return undefined;
  const view = viewOf(header);
  const magic = view.getUint32(0);
  const pageSize = view.getUint32(8);
  if (magic >>> 1 !== MAGIC >>> 1 || pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
    return undefined;
  // The lowest bit of the magic says in which byte order the check sums were made.
  const littleEndian = (magic & 1) === 0;
  const sum = new Uint32Array(2);
  addSum(sum, header.subarray(0, 24), littleEndian);
  if (sum[0] !== view.getUint32(24) || sum[1] !== view.getUint32(28)) return undefined;

  const offsetOf = new Map<number, number>();
  let uncommitted: [number, number][] = [];
  let pages = 0;
  for (let at = HEADER_BYTES; ; at += FRAME_HEAD_BYTES + pageSize) {
    const frame = read(at, FRAME_HEAD_BYTES + pageSize);
    if (frame.length < FRAME_HEAD_BYTES + pageSize) break;
    const head = viewOf(frame);
    if (head.getUint32(8) !== view.getUint32(16) || head.getUint32(12) !== view.getUint32(20)) break;
    addSum(sum, frame.subarray(0, 8), littleEndian);
    addSum(sum, frame.subarray(FRAME_HEAD_BYTES), littleEndian);
    if (sum[0] !== head.getUint32(16) || sum[1] !== head.getUint32(20)) break;
    uncommitted.push([head.getUint32(0), at + FRAME_HEAD_BYTES]);
    if (head.getUint32(4) === 0) continue;
    pages = head.getUint32(4);
    for (const [page, offset] of uncommitted) offsetOf.set(page, offset);
    uncommitted = [];
  }
  return { pageSize, offsetOf, pages };
}

/** SQLite's check sum over pairs of 32-bit words, running on from `sum`. */
function addSum(sum: Uint32Array, bytes: Uint8Array, littleEndian: boolean): void {
  const view = viewOf(bytes);
  let a = sum[0] as number;
  let b = sum[1] as number;
  for (let i = 0; i < bytes.length; i += 8) {
    a = (a + view.getUint32(i, littleEndian) + b) >>> 0;
    b = (b + view.getUint32(i + 4, littleEndian) + a) >>> 0;
  }
  sum[0] = a;
  sum[1] = b;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
