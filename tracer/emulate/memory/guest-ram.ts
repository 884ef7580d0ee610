import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Arena } from '../../native/arena.ts';
import { syscall, viewOf } from '../../native/libc.ts';
import { ERRNO, MFD_CLOEXEC, MMAP, NR } from '../../native/numbers.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import { type Mapping, mappingsOf } from '../../process/mappings.ts';
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

/** Memory that was moved stays here, by the inode of its memfd: the program may give parts of it again. */
const moved = new Map<number, number>();

/**
 * Makes memory of the program shared with this process, and answers the call. Mappings that are shared anyway are
 * mapped here too where the kernel lets us (root). All others are moved into memfds that the program gets in their
 * place: its thread is made to map them. Undefined where neither works; the call has then failed with ENOMEM.
 */
export function shareAndAnswer(
  memory: ClientMemory,
  call: GivingCall,
  start: number,
  length: number,
): SharedRun[] | undefined {
  const mappings = mappingsOf(call.pid, start, length);
  if (mappings === undefined) {
    call.answer(-ERRNO.ENOMEM);
    return undefined;
  }
  const parts = mappings.map((mapping) => {
    const from = Math.max(start, mapping.start);
    const bytes = Math.min(start + length, mapping.end) - from;
    return { from, length: bytes, address: known(mapping, from) ?? join(call.pid, mapping, from, bytes) };
  });
  const missing: Part[] = [];
  for (const part of parts) {
    if (part.address !== undefined) continue;
    const last = missing.at(-1);
    if (last !== undefined && last.from + last.length === part.from) last.length += part.length;
    else missing.push({ from: part.from, length: part.length });
  }
  const news = missing.length === 0 ? [] : move(memory, call, missing);
  if (missing.length === 0) call.answer(0);
  if (news === undefined) return undefined;
  return parts.map(({ from, length: bytes, address }) => {
    if (address !== undefined) return { address, length: bytes };
    const index = missing.findIndex((part) => from >= part.from && from < part.from + part.length);
    const offset = from - (missing[index] as Part).from;
    return { address: (news[index] as number) + offset, length: bytes };
  });
}

/** A range of the program's memory. */
interface Part {
  readonly from: number;
  length: number;
}

/** Where this process has memory that it has moved before. */
function known({ inode, start, offset, path }: Mapping, from: number): number | undefined {
  const address = path.startsWith(`/memfd:${NAME}`) ? moved.get(inode) : undefined;
  return address === undefined ? undefined : address + offset + from - start;
}

/** Maps a part of a shared mapping here as well; it takes root, or CAP_CHECKPOINT_RESTORE. */
function join(
  pid: number,
  { start, end, offset, shared }: Mapping,
  from: number,
  length: number,
): number | undefined {
  if (!shared) return undefined;
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`, 'r+');
  } catch {
    return undefined;
  }
  const address = syscall(NR.mmap, 0, length, MMAP.readWrite, MMAP.shared, fd, offset + from - start);
  closeSync(fd);
  return address < 0 ? undefined : address;
}

/**
 * Moves memory into memfds, one for each part; gives their addresses here. Other threads that write to it meanwhile lose
 * what they write.
 */
function move(memory: ClientMemory, call: GivingCall, parts: readonly Part[]): number[] | undefined {
  const files = parts.map((part) => makeFile(part.length));
  const detour = files.every(({ address }) => address >= 0) ? Detour.seize(call.pid, call.tid) : undefined;
  if (detour === undefined) {
    for (const { memfd } of files) if (memfd >= 0) syscall(NR.close, memfd);
    call.answer(-ERRNO.ENOMEM);
    return undefined;
  }
  parts.forEach(({ from, length }, index) => {
    copyPresent(memory, call.pid, from, length, viewOf((files[index] as MadeFile).address, length));
  });
  const fds = files.map(({ memfd }) => call.addFd(memfd));
  for (const { memfd, address } of files) {
    moved.set(fstatSync(memfd).ino, address);
    syscall(NR.close, memfd);
  }
  if (!detour.stopAfter(() => call.answer(0))) return undefined;
  let isMapped = true;
  parts.forEach(({ from, length }, index) => {
    const fd = fds[index] as number;
    const flags = MMAP.shared | MMAP.fixed;
    if (detour.call(NR.mmap, from, length, MMAP.readWrite, flags, fd, 0) !== from) isMapped = false;
    if (fd >= 0) detour.call(NR.close, fd);
  });
  detour.release(isMapped ? undefined : -ERRNO.ENOMEM);
  return isMapped ? files.map(({ address }) => address) : undefined;
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

/** Copies the pages that the program has touched: the rest is zero on both sides. */
function copyPresent(
  memory: ClientMemory,
  pid: number,
  start: number,
  length: number,
  target: Uint8Array,
): void {
  const entries = Buffer.alloc((length / PAGE) * PAGEMAP_ENTRY);
  const fd = openSync(`/proc/${pid}/pagemap`, 'r');
  const bytes = readSync(fd, entries, 0, entries.length, (start / PAGE) * PAGEMAP_ENTRY);
  closeSync(fd);
  for (let page = 0; page * PAGE < length; page++) {
    const at = page * PAGEMAP_ENTRY + PAGEMAP_ENTRY - 1;
    // What pagemap does not tell is copied.
    if (at < bytes && ((entries[at] as number) & PRESENT_OR_SWAPPED) === 0) continue;
    const content = memory.read(pid, start + page * PAGE, PAGE);
    if (content !== undefined) target.set(content, page * PAGE);
  }
}
