import { closeSync, fstatSync, openSync } from 'node:fs';
import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { ERRNO, NR } from '../../native/numbers.ts';
import type { Mapping } from '../../process/mappings.ts';
import { PAGE_BYTES } from './given.ts';
import type { PageRange } from './page-range.ts';

/** lseek: the next byte that is there, the next that is not (Linux 3.1). */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** Pages that mincore is asked about at a time. */
const MOST_PAGES = 1 << 15;

/** A part of a file that is open. */
export interface FilePart {
  readonly fd: number;
  /** Where in the file the part begins. */
  readonly offset: number;
  release(): void;
}

/** The files behind memory, each of which is open once. */
export class BackingFiles {
  readonly #files = new Map<string, { readonly fd: number; users: number }>();

  /** What is behind an address in a mapping of a process; undefined where the kernel does not let us (it takes CAP_CHECKPOINT_RESTORE). */
  open(pid: number, { start, end, offset }: Mapping, address: number): FilePart | undefined {
    let opened: number;
    try {
      opened = openSync(`/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`, 'r');
    } catch {
      return undefined;
    }
    const { dev, ino } = fstatSync(opened);
    const name = `${dev}:${ino}`;
    const known = this.#files.get(name);
    if (known !== undefined) closeSync(opened);
    const file = known ?? { fd: opened, users: 0 };
    this.#files.set(name, file);
    file.users++;
    const release = () => {
      if (--file.users > 0) return;
      this.#files.delete(name);
      closeSync(file.fd);
    };
    return { fd: file.fd, offset: offset + address - start, release };
  }
}

/** Pages that a part of a file holds, whoever wrote them; all where the file cannot say. */
export function filled({ fd, offset }: FilePart, pages: number): PageRange[] {
  const found: PageRange[] = [];
  const end = offset + pages * PAGE_BYTES;
  for (let at = offset; at < end; ) {
    const data = syscall(NR.lseek, fd, at, SEEK_DATA);
    // ENXIO: nothing from here on. A file that cannot say at all fails at its first byte, and nothing is left out.
    if (data < 0 && data !== -ERRNO.ENXIO) return [{ from: 0, pages }];
    if (data < 0 || data >= end) break;
    const hole = syscall(NR.lseek, fd, data, SEEK_HOLE);
    if (hole < 0 && hole !== -ERRNO.ENXIO) return [{ from: 0, pages }];
    const to = hole < 0 ? end : Math.min(end, hole);
    const from = Math.floor((data - offset) / PAGE_BYTES);
    found.push({ from, pages: Math.ceil((to - offset) / PAGE_BYTES) - from });
    at = to;
  }
  return found;
}

const vector = new Arena(MOST_PAGES);

/** The same from an address of this process on, where the file itself is not to be had. */
export function resident(address: number, pages: number): PageRange[] {
  const found: PageRange[] = [];
  for (let done = 0; done < pages; done += MOST_PAGES) {
    const count = Math.min(MOST_PAGES, pages - done);
    const from = address + done * PAGE_BYTES;
    const known = syscall(NR.mincore, from, count * PAGE_BYTES, vector.address) === 0;
    for (let i = 0; i < count; i++)
      if (!known || ((vector.bytes[i] as number) & 1) !== 0) found.push({ from: done + i, pages: 1 });
  }
  return found;
}
