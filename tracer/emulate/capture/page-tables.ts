import { closeSync, openSync, readSync } from 'node:fs';
import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { ERRNO, NR } from '../../native/numbers.ts';
import { PAGE_BYTES } from './given.ts';
import type { PageRange } from './page-range.ts';

/** PAGEMAP_SCAN (Linux 6.7 include/uapi/linux/fs.h): _IOWR('f', 16, struct pm_scan_arg), which has twelve 64-bit words. */
const PAGEMAP_SCAN = 0xc0606610;
const SCAN = {
  bytes: 96,
  start: 16,
  end: 24,
  walkEnd: 32,
  vector: 40,
  length: 48,
  any: 80,
  told: 88,
} as const;
/** PAGE_IS_PRESENT, PAGE_IS_SWAPPED. */
const PRESENT = 8;
const SWAPPED = 16;
/** struct page_region: start, end, categories. */
const REGION_BYTES = 24;
const MOST_REGIONS = 1024;

/** Without it: /proc/PID/pagemap has a word for each page; the topmost bits say that there is something in it. */
const ENTRY_BYTES = 8;
const PRESENT_OR_SWAPPED = 0xc0;
const MOST_PAGES = 1 << 15;

/** What the page tables of processes say: a page that is in none of them its threads cannot have written. */
export class PageTables {
  readonly #pagemaps = new Map<number, number>();
  readonly #scan = new Arena(SCAN.bytes);
  readonly #regions = new Arena(MOST_REGIONS * REGION_BYTES);
  readonly #entries = Buffer.alloc(MOST_PAGES * ENTRY_BYTES);
  #mayScan: boolean;

  /** `mayScan`: whether to try PAGEMAP_SCAN, whose cost goes with the pages that are there, not with those that could be. */
  constructor(mayScan = true) {
    this.#mayScan = mayScan;
    const scan = this.#scan;
    scan.setU64(0, SCAN.bytes);
    scan.setU64(SCAN.vector, this.#regions.address);
    scan.setU64(SCAN.length, MOST_REGIONS);
    scan.setU64(SCAN.any, PRESENT | SWAPPED);
    scan.setU64(SCAN.told, PRESENT);
  }

  /** Pages from an address of a process on that its threads, or the kernel for them, have used; undefined where that is not known. */
  used(pid: number, address: number, pages: number): PageRange[] | undefined {
    const fd = this.#pagemapOf(pid);
    if (fd === undefined) return undefined;
    return (this.#mayScan ? this.#scanned(fd, address, pages) : undefined) ?? this.#read(fd, address, pages);
  }

  close(): void {
    for (const fd of this.#pagemaps.values()) closeSync(fd);
    this.#pagemaps.clear();
  }

  #scanned(fd: number, address: number, pages: number): PageRange[] | undefined {
    const found: PageRange[] = [];
    const end = address + pages * PAGE_BYTES;
    for (let at = address; at < end; at = this.#scan.u64(SCAN.walkEnd)) {
      this.#scan.setU64(SCAN.start, at);
      this.#scan.setU64(SCAN.end, end);
      const regions = syscall(NR.ioctl, fd, PAGEMAP_SCAN, this.#scan.address);
      if (regions === -ERRNO.ENOTTY) this.#mayScan = false;
      if (regions < 0) return undefined;
      for (let index = 0; index < regions; index++) {
        const from = this.#regions.u64(index * REGION_BYTES);
        const to = this.#regions.u64(index * REGION_BYTES + 8);
        found.push({ from: (from - address) / PAGE_BYTES, pages: (to - from) / PAGE_BYTES });
      }
    }
    return found;
  }

  #read(fd: number, address: number, pages: number): PageRange[] | undefined {
    const found: PageRange[] = [];
    for (let done = 0; done < pages; done += MOST_PAGES) {
      const count = Math.min(MOST_PAGES, pages - done);
      const at = (address / PAGE_BYTES + done) * ENTRY_BYTES;
      if (readEntries(fd, this.#entries, count * ENTRY_BYTES, at) < count * ENTRY_BYTES) return undefined;
      for (let i = 0; i < count; i++) {
        const top = this.#entries[i * ENTRY_BYTES + ENTRY_BYTES - 1] as number;
        if ((top & PRESENT_OR_SWAPPED) !== 0) found.push({ from: done + i, pages: 1 });
      }
    }
    return found;
  }

  #pagemapOf(pid: number): number | undefined {
    let fd = this.#pagemaps.get(pid);
    if (fd !== undefined) return fd;
    try {
      fd = openSync(`/proc/${pid}/pagemap`, 'r');
    } catch {
      return undefined;
    }
    this.#pagemaps.set(pid, fd);
    return fd;
  }
}

/** Bytes read; 0 where the process is gone. */
function readEntries(fd: number, into: Buffer, length: number, at: number): number {
  try {
    return readSync(fd, into, 0, length, at);
  } catch {
    return 0;
  }
}
