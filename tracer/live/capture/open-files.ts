import type { Handle } from '../../../engine/trace/handle.ts';
import { syscall } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';

/** Names that /proc/PID/fd has for files of the drivers (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vtl_main.c). */
export const DEVICE_KINDS: ReadonlyMap<string, 'device' | 'sint' | 'hvcall' | 'vtl-low'> = new Map([
  ['/dev/mshv', 'device'],
  ['/dev/mshv_sint', 'sint'],
  ['/dev/mshv_hvcall', 'hvcall'],
  ['/dev/mshv_vtl_low', 'vtl-low'],
]);
const PARTITION = 'anon_inode:mshv_partition';
const VP = 'anon_inode:mshv_vp';
const VTL = 'anon_inode:mshv_vtl';

/** An open file of the drivers. Its ids are put in when a call tells them. */
export interface OpenFile {
  handle: Handle;
  /** The partition that a VP was made in. */
  readonly partition?: OpenFile;
}

/** Pages of a file that a process has mapped. */
export interface Mapped {
  readonly file: OpenFile;
  readonly addr: number;
  readonly size: number;
  readonly offset: number;
}

/** A traced process: its threads share one table of descriptors. */
export interface TracedProcess {
  readonly pid: number;
  readonly files: Map<number, OpenFile>;
  /** Descriptors that an ioctl has shown to be of no driver, until they are closed. */
  readonly others: Set<number>;
  mapped: Mapped[];
  readonly tids: Set<number>;
}

/** Makes handles; the n-th open of a kind is its n-th. */
export class FileNumbers {
  readonly #opens = new Map<string, number>();

  next(kind: 'device' | 'sint' | 'hvcall' | 'vtl-low' | 'vtl'): OpenFile {
    const open = (this.#opens.get(kind) ?? 0) + 1;
    this.#opens.set(kind, open);
    return { handle: { kind, open } };
  }

  /** A file that was open before anybody looked, by its name in /proc; undefined for files that are not the drivers'. */
  named(link: string): OpenFile | undefined {
    const kind = DEVICE_KINDS.get(link);
    if (kind !== undefined) return this.next(kind);
    if (link === PARTITION) return { handle: { kind: 'partition', partition: undefined } };
    if (link === VP) return { handle: { kind: 'vp', partition: undefined, vp: undefined } };
    return link === VTL ? this.next('vtl') : undefined;
  }
}

const KCMP_FILE = 0;

/** The file behind a descriptor, where another that is known is the same open file (kcmp, KCMP_FILE). */
export function sameFile(
  processes: Iterable<TracedProcess>,
  pid: number,
  fd: number,
): { readonly process: TracedProcess; readonly file: OpenFile } | undefined {
  for (const process of processes) {
    for (const [other, file] of process.files)
      if (syscall(NR.kcmp, pid, process.pid, KCMP_FILE, fd, other) === 0) return { process, file };
  }
  return undefined;
}
