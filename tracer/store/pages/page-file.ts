import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { PageReader } from './record.ts';

/** Pages of a file that are kept: the inner ones of the trees are wanted again and again. */
const KEPT_PAGES = 1024;

/** The pages of a database file as they stand in it. */
export class PageFile implements PageReader {
  readonly pageSize: number;
  readonly #fd: number;
  readonly #kept = new Map<number, Uint8Array>();

  /** Opens the file; throws as the file system does. */
  constructor(path: string, pageSize: number) {
    this.pageSize = pageSize;
    this.#fd = openSync(path, 'r');
  }

  get bytes(): number {
    return fstatSync(this.#fd).size;
  }

  read(number: number): Uint8Array | undefined {
    const kept = this.#kept.get(number);
    if (kept !== undefined) return kept;
    if (number < 1) return undefined;
    const page = new Uint8Array(this.pageSize);
    if (readSync(this.#fd, page, 0, this.pageSize, (number - 1) * this.pageSize) < this.pageSize)
      return undefined;
    if (this.#kept.size >= KEPT_PAGES) this.#kept.clear();
    this.#kept.set(number, page);
    return page;
  }

  /** Forgets what was read, because the file may have changed. */
  forget(): void {
    this.#kept.clear();
  }

  close(): void {
    closeSync(this.#fd);
  }
}
