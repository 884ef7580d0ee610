import type { Handle } from '../../../engine/trace/handle.ts';
import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, NR } from '../../native/numbers.ts';
import { linkOf } from '../../process/proc.ts';

/** Another emulation may run beside this one. */
const PREFIX = `hvrewind-mshv-${process.pid}-`;
const LINK = new RegExp(`^/memfd:${PREFIX}(\\d+) `);
const PAGE_BYTES = 4096;
/** The program may not change the size of what it and this process have mapped. */
const F_ADD_SEALS = 1033;
const SEALS = 1 | 2 | 4;
/** Register page, intercept message page, GHCB page: the offsets at which a VP's descriptor is mapped. */
const VP_PAGES = 3;

/**
 * An open file of the emulated device: device, partition or VP. In the program a memfd stands for it, whose name says
 * which one it is; a VP's holds the pages that the program may map.
 */
export interface DeviceFile {
  /** Foreign: a name of the device that was opened without it (O_PATH), of which the driver knows nothing. */
  readonly handle: Handle;
  readonly memfd: number;
  /** Descriptors in all processes that stand for it. */
  descriptors: number;
}

/** Every open file, by the number in the name of its memfd. */
export class DeviceFiles {
  readonly #files = new Map<number, DeviceFile>();
  readonly #name = new Arena(64);
  #last = 0;
  /** The memfd of the file that is opened next. */
  #next: number | undefined;

  /** Whether a file can be opened: this process has a descriptor left. */
  get mayOpen(): boolean {
    if (this.#next !== undefined) return true;
    const name = this.#name.text(0, `${PREFIX}${this.#last + 1}`);
    const memfd = syscall(NR.memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memfd >= 0) this.#next = memfd;
    return memfd >= 0;
  }

  /** After {@link mayOpen}. */
  open(handle: Handle): DeviceFile {
    const memfd = this.mayOpen ? this.#next : undefined;
    if (memfd === undefined) throw new Error('a file was opened that there was no descriptor for');
    this.#next = undefined;
    this.#last++;
    if (handle.kind === 'vp') syscall(NR.ftruncate, memfd, VP_PAGES * PAGE_BYTES);
    syscall(NR.fcntl, memfd, F_ADD_SEALS, SEALS);
    const file = { handle, memfd, descriptors: 0 };
    this.#files.set(this.#last, file);
    return file;
  }

  /** The file that a descriptor of a process stands for, as its name in /proc says; undefined for other files. */
  behind(pid: number, fd: number): DeviceFile | undefined {
    return this.named(linkOf(pid, fd) ?? '');
  }

  /** The file of a link or a mapping; undefined for others. */
  named(link: string): DeviceFile | undefined {
    const match = LINK.exec(link);
    return match === null ? undefined : this.#files.get(Number(match[1]));
  }

  /** The last descriptor is gone. */
  release(file: DeviceFile): void {
    syscall(NR.close, file.memfd);
    for (const [number, other] of this.#files) if (other === file) this.#files.delete(number);
  }
}
