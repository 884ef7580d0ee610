import { openSync, readSync } from 'node:fs';
import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';

const PAGE_BYTES = 4096;
/** /proc/PID/pagemap has a word for each page; the topmost bits say that there is something in it. */
const ENTRY_BYTES = 8;
const PRESENT_OR_SWAPPED = 0xc0;
/** Pages that are asked about at a time. */
const MOST_PAGES = 1 << 15;

/** Which pages of the program's memory are worth a look. */
export class Candidates {
  readonly #pagemaps = new Map<number, number>();
  readonly #entries = Buffer.alloc(MOST_PAGES * ENTRY_BYTES);
  readonly #resident = new Arena(MOST_PAGES);

  /** Pages from an address of a process on that its threads, or the kernel for them, have used: no others can they have written. */
  *used(pid: number, address: number, pages: number): Generator<number> {
    const fd = this.#pagemapOf(pid);
    for (let from = 0; from < pages; from += MOST_PAGES) {
      const count = Math.min(MOST_PAGES, pages - from);
      const at = (address / PAGE_BYTES + from) * ENTRY_BYTES;
      const read = fd === undefined ? 0 : readEntries(fd, this.#entries, count * ENTRY_BYTES, at);
      for (let i = 0; i < count; i++) {
        const top = i * ENTRY_BYTES + ENTRY_BYTES - 1;
        // What the kernel does not tell is looked at.
        if (top >= read || ((this.#entries[top] as number) & PRESENT_OR_SWAPPED) !== 0) yield from + i;
      }
    }
  }

  /** Pages from an address of this process on that the file behind them holds, whoever wrote them. */
  *filled(address: number, pages: number): Generator<number> {
    for (let from = 0; from < pages; from += MOST_PAGES) {
      const count = Math.min(MOST_PAGES, pages - from);
      const { address: vector, bytes } = this.#resident;
      const known = syscall(NR.mincore, address + from * PAGE_BYTES, count * PAGE_BYTES, vector) === 0;
      for (let i = 0; i < count; i++) if (!known || ((bytes[i] as number) & 1) !== 0) yield from + i;
    }
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
