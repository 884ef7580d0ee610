import { FD_SOURCES, type FdKind, meaningsOfIoctl } from '../../../engine/abi/index.ts';
import type { Handle, HandleKind } from '../../../engine/trace/handle.ts';
import type { Descriptor } from './arguments.ts';
import type { OpenFile, Process } from './processes.ts';

const DEVICES: readonly FdKind[] = ['device', 'hvcall', 'sint', 'vtl-low'];
/** Names of the anonymous files (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_vtl_main.c), with and without the brackets of newer kernels. */
const ANONYMOUS = /^anon_inode:\[?(mshv_partition|mshv_vp|mshv_vtl|eventfd)\]?$/;
const ANONYMOUS_KINDS: Readonly<Record<string, HandleKind>> = {
  mshv_partition: 'partition',
  mshv_vp: 'vp',
  mshv_vtl: 'vtl',
  eventfd: 'eventfd',
};

/** The kind of handle that a path names; undefined for a file that is not ours. */
export function kindOfPath(path: string | undefined): HandleKind | undefined {
  const device = DEVICES.find((kind) => FD_SOURCES[kind] === path);
  if (device !== undefined) return device as HandleKind;
  const anonymous = ANONYMOUS.exec(path ?? '')?.[1];
  return anonymous === undefined ? undefined : ANONYMOUS_KINDS[anonymous];
}

/** The kind of handle that a call opens, as far as handles have it. */
export function handleKindOf(kind: FdKind | undefined): HandleKind | undefined {
  return kind === 'passthru-device' ? undefined : kind;
}

/** Makes handles and finds the one behind a descriptor. Hypervisor ids never stand in such a text: they stay unknown. */
export class Handles {
  readonly #opened = new Map<HandleKind, number>();

  /** A handle that was just opened. */
  make(kind: HandleKind, fd: number): Handle {
    switch (kind) {
      case 'partition':
        return { kind, partition: undefined };
      case 'vp':
        return { kind, partition: undefined, vp: undefined };
      case 'eventfd':
      case 'foreign':
        return { kind, fd: fd >>> 0 };
      default: {
        const open = (this.#opened.get(kind) ?? 0) + 1;
        this.#opened.set(kind, open);
        return { kind, open };
      }
    }
  }

  /** The open file behind a descriptor: by the path that -y prints, else by what the process opened. */
  find(process: Process, { fd, path }: Descriptor): OpenFile | undefined {
    const known = process.files.get(fd);
    const kind = kindOfPath(path);
    if (kind === undefined || known?.handle.kind === kind) return known;
    const file = { handle: this.make(kind, fd), closeOnExec: false };
    process.files.set(fd, file);
    return file;
  }

  /**
   * The file that a request of type 0xB8 is for. Where nothing tells (strace came late and had no -y), the request itself does, when
   * all its meanings are on one kind of handle.
   */
  findFor(process: Process, descriptor: Descriptor, op: number): OpenFile {
    const found = this.find(process, descriptor);
    if (found !== undefined) return found;
    const { fd, path } = descriptor;
    const kinds = new Set(meaningsOfIoctl(op).flatMap((row) => row.fds));
    const [only] = kinds;
    const kind = kinds.size === 1 && path === undefined && fd >= 0 ? handleKindOf(only) : undefined;
    const file = { handle: this.make(kind ?? 'foreign', fd), closeOnExec: false };
    if (kind !== undefined) process.files.set(fd, file);
    return file;
  }
}
