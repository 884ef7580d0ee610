import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { PageReader } from '../pages/record.ts';
import { readWal, type WalFrames } from './wal.ts';

/** What our writer uses; taken where the file's own header is lost. */
const OUR_PAGE_BYTES = 4096;
const SQLITE_MAGIC = 'SQLite format 3\0';

/** Pages that are kept, for chains and for rows that are not in order. */
const KEPT_PAGES = 256;

/** The pages of a database as they are after the last commit that can be found. */
export class Pages implements PageReader {
  readonly pageSize: number;
  /** Number of pages; the last may be cut. */
  readonly count: number;
  readonly #file: number;
  readonly #wal: number | undefined;
  readonly #frames: WalFrames | undefined;
  readonly #kept = new Map<number, Uint8Array>();

  /** Opens the file and its `-wal`; throws as the file system does. */
  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.#wal = existsSync(`${path}-wal`) ? openSync(`${path}-wal`, 'r') : undefined;
    const { size } = fstatSync(this.#file);
    const own = pageSizeIn(readAt(this.#file, 0, 100));
    const wal = this.#wal;
    const frames = wal === undefined ? undefined : readWal((offset, length) => readAt(wal, offset, length));
    this.pageSize = own ?? frames?.pageSize ?? OUR_PAGE_BYTES;
    // Frames of another page size are of another database.
    this.#frames = frames?.pageSize === this.pageSize ? frames : undefined;
    this.count = Math.max(Math.ceil(size / this.pageSize), this.#frames?.pages ?? 0);
  }

  close(): void {
    closeSync(this.#file);
    if (this.#wal !== undefined) closeSync(this.#wal);
  }

  /** Page `number` (from 1); undefined where it is not whole. */
  read(number: number): Uint8Array | undefined {
    if (number < 1 || number > this.count) return undefined;
    const kept = this.#kept.get(number);
    if (kept !== undefined) return kept;
    const inWal = this.#frames?.offsetOf.get(number);
    const page =
      inWal === undefined || this.#wal === undefined
        ? readAt(this.#file, (number - 1) * this.pageSize, this.pageSize)
        : readAt(this.#wal, inWal, this.pageSize);
    if (page.length < this.pageSize) return undefined;
    if (this.#kept.size >= KEPT_PAGES) this.#kept.clear();
    this.#kept.set(number, page);
    return page;
  }
}

function pageSizeIn(header: Uint8Array): number | undefined {
  const buffer = Buffer.from(header.buffer, header.byteOffset, header.length);
  if (buffer.length < 100 || buffer.toString('latin1', 0, 16) !== SQLITE_MAGIC) return undefined;
  const size = buffer.readUInt16BE(16);
  const bytes = size === 1 ? 65536 : size;
  return bytes >= 512 && (bytes & (bytes - 1)) === 0 ? bytes : undefined;
}

function readAt(fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const more = readSync(fd, bytes, got, length - got, offset + got);
    if (more === 0) return bytes.subarray(0, got);
    got += more;
  }
  return bytes;
}
