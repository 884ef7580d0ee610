import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { MFD_CLOEXEC, MMAP, NR } from '../../native/numbers.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import { type Mapping, mappingsOf } from '../../process/mappings.ts';
import { attributesOf, restoreAttributes } from './attributes.ts';
import { guardRange } from './bus-guard.ts';
import { addMoved, movedAddress, useMoved } from './moved.ts';
import { Detour } from './ptrace.ts';

const PAGE = 4096;
/** /proc/PID/pagemap has a word for each page; these bits say that there is something in it. */
const PAGEMAP_ENTRY = 8;
const PRESENT_OR_SWAPPED = 0xc0;
const NAME = 'hvrewind-ram';
const FILE_NAME = new Arena(32);

/** A run of the program's memory as this process sees it. */
export interface SharedRun {
  readonly address: number;
  readonly length: number;
  /** The guest has it no more: called once, when nothing looks at it any longer. */
  release(): void;
}

/** The call in which the program gives memory to its guest: its thread waits for the answer. */
export interface GivingCall {
  readonly pid: number;
  readonly tid: number;
  /** Ends the call. */
  answer(result: number): void;
  /** Opens one of our files in the program; the number, or a negative errno. */
  addFd(fd: number): number;
}

/** Memory that is shared now, and how the call ends that gave it: its thread may be held until then. */
export interface Shared {
  /** Undefined where this process cannot have it: nobody could but the kernel. */
  readonly runs: readonly SharedRun[] | undefined;
  answer(result: number): void;
}

/**
 * Makes memory of the program shared with this process, before the call that gives it is answered. Mappings that are shared
 * anyway are mapped here too where the kernel lets us (root). All others are moved into memfds that the program gets in their
 * place: its thread is made to map them.
 */
export function share(memory: ClientMemory, call: GivingCall, start: number, length: number): Shared {
  const answer = (result: number) => call.answer(result);
  const mappings = mappingsOf(call.pid, start, length);
  if (mappings === undefined) return { runs: undefined, answer };
  const parts = mappings.map((mapping) => {
    const from = Math.max(start, mapping.start);
    const bytes = Math.min(start + length, mapping.end) - from;
    return { from, length: bytes, run: known(mapping, from, bytes) ?? join(call.pid, mapping, from, bytes) };
  });
  const missing: Part[] = [];
  for (const part of parts) {
    if (part.run !== undefined) continue;
    const last = missing.at(-1);
    if (last !== undefined && last.from + last.length === part.from) last.length += part.length;
    else missing.push({ from: part.from, length: part.length });
  }
  const moved = missing.length === 0 ? { news: [], answer } : move(memory, call, missing);
  const { news } = moved;
  if (news === undefined) {
    for (const { run } of parts) run?.release();
    return { runs: undefined, answer: moved.answer };
  }
  const runs = parts.map(({ from, length: bytes, run }) => {
    if (run !== undefined) return run;
    const index = missing.findIndex((part) => from >= part.from && from < part.from + part.length);
    const offset = from - (missing[index] as Part).from;
    const { inode, address } = news[index] as NewMemory;
    return { address: address + offset, length: bytes, release: useMoved(inode) };
  });
  return { runs, answer: moved.answer };
}

/** A range of the program's memory. */
interface Part {
  readonly from: number;
  length: number;
}

/** Where this process has memory that it has moved before. */
function known({ inode, start, offset, path }: Mapping, from: number, length: number): SharedRun | undefined {
  const address = path.startsWith(`/memfd:${NAME}`) ? movedAddress(inode) : undefined;
  if (address === undefined) return undefined;
  return { address: address + offset + from - start, length, release: useMoved(inode) };
}

/** Maps a part of a shared mapping here as well; it takes root, or CAP_CHECKPOINT_RESTORE. */
function join(
  pid: number,
  { start, end, offset, shared }: Mapping,
  from: number,
  length: number,
): SharedRun | undefined {
  if (!shared) return undefined;
  const fd = openIfThere(`/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`, 'r+');
  if (fd === undefined) return undefined;
  const address = syscall(NR.mmap, 0, length, MMAP.readWrite, MMAP.shared, fd, offset + from - start);
  closeSync(fd);
  if (address < 0) return undefined;
  const endGuard = guardRange(address, length);
  const release = () => {
    endGuard();
    syscall(NR.munmap, address, length);
  };
  return { address, length, release };
}

function openIfThere(path: string, flags: 'r' | 'r+'): number | undefined {
  try {
    return openSync(path, flags);
  } catch {
    return undefined;
  }
}

/** What became of memory that was to be moved. */
interface Move {
  readonly news: readonly NewMemory[] | undefined;
  answer(result: number): void;
}

/**
 * Moves memory into memfds, one for each part, and holds the thread that gave it. Other threads that write to it meanwhile lose
 * what they write.
 */
function move(memory: ClientMemory, call: GivingCall, parts: readonly Part[]): Move {
  const files = parts.map((part) => makeFile(part.length));
  const detour = files.every(({ address }) => address >= 0) ? Detour.seize(call.pid, call.tid) : undefined;
  if (detour === undefined) {
    files.forEach(({ memfd, address }, index) => {
      if (memfd >= 0) syscall(NR.close, memfd);
      if (address >= 0) syscall(NR.munmap, address, (parts[index] as Part).length);
    });
    return { news: undefined, answer: (result) => call.answer(result) };
  }
  parts.forEach(({ from, length }, index) => {
    copyPresent(memory, call.pid, from, length, (files[index] as MadeFile).address);
  });
  const attributes = parts.flatMap(({ from, length }) => attributesOf(call.pid, from, length));
  const fds = files.map(({ memfd }) => call.addFd(memfd));
  const news = files.map(({ memfd, address }, index) => {
    const inode = fstatSync(memfd).ino;
    addMoved(inode, call.pid, address, (parts[index] as Part).length);
    syscall(NR.close, memfd);
    return { inode, address };
  });
  const forget = () => {
    for (const { inode } of news) useMoved(inode)();
  };
  if (!detour.stopAfter(() => call.answer(0))) {
    forget();
    return { news: undefined, answer: () => {} };
  }
  let isMapped = true;
  parts.forEach(({ from, length }, index) => {
    const fd = fds[index] as number;
    const flags = MMAP.shared | MMAP.fixed;
    if (detour.call(NR.mmap, from, length, MMAP.readWrite, flags, fd, 0) !== from) isMapped = false;
    if (fd >= 0) detour.call(NR.close, fd);
  });
  if (isMapped) restoreAttributes(detour, attributes);
  else forget();
  return {
    news: isMapped ? news : undefined,
    answer: (result) => detour.release(result === 0 ? undefined : result),
  };
}

/** Memory that was moved, and where it is mapped here. */
interface NewMemory {
  readonly inode: number;
  readonly address: number;
}

/** A memfd and where it is mapped here; negative errnos where it could not be made. */
interface MadeFile {
  readonly memfd: number;
  readonly address: number;
}

function makeFile(length: number): MadeFile {
  const memfd = syscall(NR.memfd_create, FILE_NAME.text(0, NAME), MFD_CLOEXEC);
  if (memfd < 0) return { memfd, address: memfd };
  const sized = syscall(NR.ftruncate, memfd, length);
  const address = sized < 0 ? sized : syscall(NR.mmap, 0, length, MMAP.readWrite, MMAP.shared, memfd, 0);
  return { memfd, address };
}

/** Words of the pagemap that are read at once: those of 256 MiB. */
const PAGEMAP_PAGES = 1 << 16;

/** Copies the pages that the program has touched to an address here: the rest is zero on both sides, and stays without memory. */
function copyPresent(memory: ClientMemory, pid: number, start: number, length: number, target: number): void {
  const pages = length / PAGE;
  const entries = Buffer.alloc(Math.min(pages, PAGEMAP_PAGES) * PAGEMAP_ENTRY);
  const fd = openIfThere(`/proc/${pid}/pagemap`, 'r');
  // The process was killed meanwhile.
  if (fd === undefined) return;
  for (let first = 0; first < pages; first += PAGEMAP_PAGES) {
    const count = Math.min(PAGEMAP_PAGES, pages - first);
    const bytes = readSync(fd, entries, 0, count * PAGEMAP_ENTRY, (start / PAGE + first) * PAGEMAP_ENTRY);
    for (let page = 0; page < count; page++) {
      const at = page * PAGEMAP_ENTRY + PAGEMAP_ENTRY - 1;
      // What pagemap does not tell is copied.
      if (at < bytes && ((entries[at] as number) & PRESENT_OR_SWAPPED) === 0) continue;
      const offset = (first + page) * PAGE;
      memory.copy(pid, start + offset, PAGE, target + offset);
    }
  }
  closeSync(fd);
}
