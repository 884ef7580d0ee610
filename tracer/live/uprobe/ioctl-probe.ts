import { readFileSync } from 'node:fs';
import { IOCTL_TYPE, ioctlParts } from '../../../engine/abi/index.ts';
import type { Handle } from '../../../engine/trace/handle.ts';
import { linkOf, threadGroup } from '../../process/proc.ts';
import type { Circumstances, Fields, SourceRow, Told } from '../../sources/kernel/told.ts';
import { FileNumbers } from '../capture/open-files.ts';
import { symbolOffset } from './elf.ts';

/** The words of the argument that a probe fetches: 64 bytes hold every argument that the drivers read, but for messages. */
const WORDS = 8;
const ARG_BYTES = 8 * WORDS;

/** Threads, and open files, that are remembered. */
const MAX_KNOWN = 4096;

/** What a trace recorded in this way says of itself. */
export const UPROBE_LIMIT =
  'ioctls are seen at the entry of ioctl() in the C library: argument structures up to 64 bytes, no buffers, no outputs, no errno of a failed call';

/** The two probes on the C library's ioctl(), as tracefs takes them. */
export interface IoctlProbes {
  /** `FILE:0xOFFSET`. */
  readonly where: string;
  readonly entryArgs: string;
  readonly returnArgs: string;
  readonly filter: string;
}

/** The C library that a process has mapped; undefined for a static program. */
function libcOf(pid: number | 'self'): string | undefined {
  let maps: string;
  try {
    maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return undefined;
  }
  return /\s(?<path>\/\S*\/(?:libc\.so\.6|libc-[\d.]+\.so|ld-musl-[^/\s]*))$/m.exec(maps)?.groups?.path;
}

/**
 * Probes on the ioctl() that process `pid` calls (or, for a program to be started, that of this process: the system's). Undefined
 * where it has no C library that is shared.
 */
export function ioctlProbes(pid: number | 'self'): IoctlProbes | undefined {
  const library = libcOf(pid);
  if (library === undefined) return undefined;
  const offset = symbolOffset(`/proc/${pid}/root${library}`, 'ioctl');
  if (offset === undefined) return undefined;
  const words = Array.from({ length: WORDS }, (_, i) => `w${i}=+${8 * i}(%dx):x64`);
  return {
    where: `/proc/${pid}/root${library}:0x${offset.toString(16)}`.replace(/^\/proc\/self\/root/, ''),
    entryArgs: ['fd=%di:s32', 'cmd=%si:x32', 'type=%si:b8@8/32', ...words].join(' '),
    returnArgs: 'ret=$retval:s32',
    filter: `type == 0x${IOCTL_TYPE.toString(16)}`,
  };
}

/** Whose calls are kept: one process, or those that a process started. */
export type Family =
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'children'; readonly of: number };

/** Makes ioctl events of the probes' records. */
export class IoctlSource {
  readonly #family: Family;
  readonly #numbers = new FileNumbers();
  /** By process, descriptor and what it led to. */
  readonly #handles = new Map<string, Handle>();
  readonly #members = new Map<number, boolean>();
  /** What /proc said since the last {@link lookAgain}, by thread and descriptor. */
  readonly #seen = new Map<number, Map<number, Handle>>();

  constructor(family: Family) {
    this.#family = family;
  }

  readonly entry: Pick<SourceRow, 'tell'> = {
    tell: (fields, { tid }) => (this.#isMember(tid) ? this.#call(fields, tid) : undefined),
  };

  readonly leave: Pick<SourceRow, 'tell'> = {
    tell: (fields, { tid }) => {
      if (!this.#isMember(tid)) return undefined;
      const ret = Number(BigInt.asIntN(32, fields('ret') ?? 0n));
      // -1 is all that a caller of ioctl() gets; the reason is in errno, which is not seen.
      return { kind: 'return', call: 'ioctl', answer: ret < 0 ? {} : { ret } };
    },
  };

  #call(fields: Fields, tid: Circumstances['tid']): Told {
    const fd = Number(BigInt.asIntN(32, fields('fd') ?? 0n));
    const op = Number(BigInt.asUintN(32, fields('cmd') ?? 0n));
    const arg = argumentOf(fields, op);
    const handle = this.#handle(tid ?? 0, fd);
    const body = { kind: 'ioctl' as const, component: 'vmm', handle, fd, op };
    return { kind: 'entry', call: 'ioctl', body: arg === undefined ? body : { ...body, arg } };
  }

  /**
   * Before records are read that have come together: /proc is asked once for each descriptor in them, as it says what is open now
   * and not what was open at the time of each.
   */
  lookAgain(): void {
    this.#seen.clear();
  }

  #handle(tid: number, fd: number): Handle {
    let ofThread = this.#seen.get(tid);
    if (ofThread === undefined) {
      ofThread = new Map();
      this.#seen.set(tid, ofThread);
    }
    const seen = ofThread.get(fd);
    if (seen !== undefined) return seen;
    const handle = this.#lookUp(tid, fd);
    ofThread.set(fd, handle);
    return handle;
  }

  #lookUp(tid: number, fd: number): Handle {
    const link = linkOf(tid, fd) ?? '';
    const key = `${threadGroup(tid) ?? tid} ${fd} ${link}`;
    const known = this.#handles.get(key);
    if (known !== undefined) return known;
    const handle = this.#numbers.named(link)?.handle ?? { kind: 'foreign' as const, fd: Math.max(0, fd) };
    if (this.#handles.size >= MAX_KNOWN) this.#handles.clear();
    this.#handles.set(key, handle);
    return handle;
  }

  #isMember(tid: number | undefined): boolean {
    if (tid === undefined) return false;
    let member = this.#members.get(tid);
    if (member === undefined) {
      member = isOf(tid, this.#family);
      if (this.#members.size >= MAX_KNOWN) this.#members.clear();
      this.#members.set(tid, member);
    }
    return member;
  }
}

/** The argument that a call reads; undefined where it reads none, or more than was fetched. */
function argumentOf(fields: Fields, op: number): Uint8Array | undefined {
  const { direction, size } = ioctlParts(op);
  if (size === 0 || size > ARG_BYTES || !direction.includes('W')) return undefined;
  const bytes = new Uint8Array(ARG_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < WORDS; i++) view.setBigUint64(8 * i, BigInt.asUintN(64, fields(`w${i}`) ?? 0n), true);
  return bytes.slice(0, size);
}

/** A thread that is gone by now counts as one of them: it called the drivers, and nothing says that it was not. */
function isOf(tid: number, family: Family): boolean {
  if (family.kind === 'process') return (threadGroup(tid) ?? family.pid) === family.pid;
  for (let pid = tid; pid > 1; ) {
    const parent = parentOf(pid);
    if (parent === undefined || parent === family.of) return true;
    pid = parent;
  }
  return false;
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
