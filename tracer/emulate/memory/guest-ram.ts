import { closeSync, openSync, readSync } from 'node:fs';
import { Arena } from '../native/arena.ts';
import { syscall, viewOf } from '../native/libc.ts';
import { ERRNO, MFD_CLOEXEC, MMAP, NR } from '../native/numbers.ts';
import type { ClientMemory } from './client-memory.ts';
import { type Mapping, mappingsOf } from './mappings.ts';
import { Detour } from './ptrace.ts';

const PAGE = 4096;
/** /proc/PID/pagemap has a word for each page; these bits say that there is something in it. */
const PAGEMAP_ENTRY = 8;
const PRESENT_OR_SWAPPED = 0xc0;
const NAME = 'hvrewind-ram';

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

/**
 * Makes memory of the program shared with this process, and answers the call. Mappings that are shared anyway are
 * mapped here too where the kernel lets us (root). All others are moved into a memfd that the program gets in their
 * place: its thread is made to map it. Undefined where neither works; the call has then failed with ENOMEM.
 */
export function shareAndAnswer(
  memory: ClientMemory,
  call: GivingCall,
  start: number,
  length: number,
): SharedRun[] | undefined {
  const mappings = mappingsOf(call.pid, start, length);
  const joined = mappings?.every(({ shared }) => shared)
    ? joinAll(call.pid, mappings, start, length)
    : undefined;
  if (joined !== undefined) {
    call.answer(0);
    return joined;
  }
  const moved = mappings === undefined ? undefined : move(memory, call, start, length);
  return moved === undefined ? undefined : [moved];
}

function joinAll(
  pid: number,
  mappings: readonly Mapping[],
  start: number,
  length: number,
): SharedRun[] | undefined {
  const runs: SharedRun[] = [];
  for (const mapping of mappings) {
    const from = Math.max(start, mapping.start);
    const bytes = Math.min(start + length, mapping.end) - from;
    const address = join(pid, mapping, from, bytes);
    if (address === undefined) return undefined;
    runs.push({ address, length: bytes });
  }
  return runs;
}

/** Maps a part of a shared mapping here as well; it takes root, or CAP_CHECKPOINT_RESTORE. */
function join(
  pid: number,
  { start, end, offset }: Mapping,
  from: number,
  length: number,
): number | undefined {
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

/** Moves memory into a memfd. Other threads that write to it meanwhile lose what they write. */
function move(memory: ClientMemory, call: GivingCall, start: number, length: number): SharedRun | undefined {
  const name = new Arena(32);
  const memfd = syscall(NR.memfd_create, name.text(0, NAME), MFD_CLOEXEC);
  const fail = (result: number) => {
    if (memfd >= 0) syscall(NR.close, memfd);
    call.answer(result);
    return undefined;
  };
  if (memfd < 0 || syscall(NR.ftruncate, memfd, length) < 0) return fail(-ERRNO.ENOMEM);
  const address = syscall(NR.mmap, 0, length, MMAP.readWrite, MMAP.shared, memfd, 0);
  const detour = address < 0 ? undefined : Detour.seize(call.pid, call.tid);
  if (detour === undefined) return fail(-ERRNO.ENOMEM);
  copyPresent(memory, call.pid, start, length, viewOf(address, length));
  const fd = call.addFd(memfd);
  if (!detour.stopAfter(() => call.answer(0))) return undefined;
  const mapped = detour.call(NR.mmap, start, length, MMAP.readWrite, MMAP.shared | MMAP.fixed, fd, 0);
  detour.call(NR.close, fd);
  syscall(NR.close, memfd);
  detour.release(mapped === start ? undefined : -ERRNO.ENOMEM);
  return mapped === start ? { address, length } : undefined;
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
