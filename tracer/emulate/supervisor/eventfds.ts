import {
  constantNumber,
  decodeControl,
  fieldOf,
  hypercalls,
  type IoctlRow,
  readU32,
} from '../../../engine/abi/index.ts';
import type { FdEvent, TraceEvent } from '../../../engine/trace/event.ts';
import { Arena } from '../../native/arena.ts';
import { syscall, syscall3 } from '../../native/libc.ts';
import { ERRNO, NR } from '../../native/numbers.ts';
import type { Poll } from '../../native/poll.ts';
import { linkOf } from '../../process/proc.ts';
import type { ClientProcess } from './process.ts';

const LINK = 'anon_inode:[eventfd]';
/** Reads without waiting: another reader may have been faster (Linux include/uapi/linux/fs.h). */
const RWF_NOWAIT = 8;
const WORD = 8;

const IRQFD = {
  fd: fieldOf('mshv_user_irqfd', 'fd'),
  gsi: fieldOf('mshv_user_irqfd', 'gsi'),
  resampleFd: fieldOf('mshv_user_irqfd', 'resamplefd'),
  flags: fieldOf('mshv_user_irqfd', 'flags'),
  deassign: constantNumber('MSHV_IRQFD_BIT_DEASSIGN'),
  resample: constantNumber('MSHV_IRQFD_BIT_RESAMPLE'),
};
const IOEVENTFD = {
  fd: fieldOf('mshv_user_ioeventfd', 'fd'),
  flags: fieldOf('mshv_user_ioeventfd', 'flags'),
  deassign: constantNumber('MSHV_IOEVENTFD_BIT_DEASSIGN'),
};
const CREATE_PORT = hypercalls.number('CREATE_PORT');
const DELETE_PORT = hypercalls.number('DELETE_PORT');
const CREATED = fieldOf('hv_input_create_port', 'port_id');
const DELETED = fieldOf('hv_input_delete_port', 'port_id');

/** A call by which the program gives an eventfd, or takes it back. */
export interface EventfdCall {
  readonly kind: 'irqfd' | 'ioeventfd';
  readonly fd: number;
  readonly gsi: number;
  readonly deassign: boolean;
  /** The eventfd that tells of the end of a level-triggered interrupt. */
  readonly resampleFd?: number;
}

/** What a call does with an eventfd; undefined for all others. */
export function eventfdCall(row: IoctlRow | undefined, arg: Uint8Array | undefined): EventfdCall | undefined {
  if (row === undefined || arg === undefined || arg.length !== row.size) return undefined;
  if (row.dialect !== 'upstream') return undefined;
  if (row.name === 'MSHV_IRQFD') {
    const flags = readU32(arg, IRQFD.flags);
    const deassign = (flags & IRQFD.deassign) !== 0;
    const resample = (flags & IRQFD.resample) !== 0 && !deassign;
    return {
      kind: 'irqfd',
      fd: readU32(arg, IRQFD.fd) | 0,
      gsi: readU32(arg, IRQFD.gsi),
      deassign,
      ...(resample ? { resampleFd: readU32(arg, IRQFD.resampleFd) | 0 } : {}),
    };
  }
  if (row.name !== 'MSHV_IOEVENTFD') return undefined;
  const deassign = (readU32(arg, IOEVENTFD.flags) & IOEVENTFD.deassign) !== 0;
  return { kind: 'ioeventfd', fd: readU32(arg, IOEVENTFD.fd) | 0, gsi: 0, deassign };
}

/** The program's eventfds of a call, opened in this process: {@link Eventfds.apply} keeps what it needs. */
export interface OpenEventfds {
  readonly own: readonly number[];
  /** What the kernel says of a descriptor that is none, or of another file (eventfd_ctx_fdget). */
  readonly refused?: number;
}

/** Before the engine hears of a call: another thread may close them at any time. */
export function openEventfds({ pidfd }: ClientProcess, { fd, resampleFd }: EventfdCall): OpenEventfds {
  const own: number[] = [];
  for (const each of resampleFd === undefined ? [fd] : [fd, resampleFd]) {
    const opened = syscall(NR.pidfd_getfd, pidfd, each);
    if (opened < 0) return { own, refused: opened === -ERRNO.EMFILE ? -ERRNO.ENOMEM : -ERRNO.EBADF };
    own.push(opened);
    if (linkOf(process.pid, opened) !== LINK) return { own, refused: -ERRNO.EINVAL };
  }
  return { own };
}

function closeAll(own: readonly number[]): void {
  for (const fd of own) syscall(NR.close, fd);
}

interface Line {
  readonly partition: bigint;
  readonly pid: number;
  /** The program's number of it, and ours. */
  readonly fd: number;
  readonly own: number;
  readonly gsi: number;
  /** The eventfd that is resampled, by the program's number and ours. */
  readonly resample?: { readonly fd: number; readonly own: number };
}

/** A line whose eventfd the program has signalled. */
export interface Signal {
  readonly pid: number;
  readonly fd: number;
  readonly value: bigint;
  /** Its line. */
  readonly partition: bigint;
  readonly gsi: number;
}

/** The program's eventfds that stand for interrupts and for doorbells: the same files, opened here too. */
export class Eventfds {
  readonly #poll: Poll;
  readonly #word = new Arena(4 * WORD);
  readonly #doorbells = new Map<number, number>();
  #lines: Line[] = [];
  #created = 0;
  #signals = 0;

  constructor(poll: Poll) {
    this.#poll = poll;
  }

  /** Takes note of what the engine did. */
  observe(event: TraceEvent): void {
    if (event.kind === 'fd') {
      if (event.what === 'eventfd-signal' && event.component === 'mshv') this.#driverSignals(event);
      return;
    }
    if (event.kind !== 'hypercall' || event.input === undefined || event.result?.status !== 0) return;
    const { code } = decodeControl(event.control);
    if (code === CREATE_PORT) this.#created = readU32(event.input, CREATED);
    else if (code === DELETE_PORT) this.#drop(readU32(event.input, DELETED));
  }

  /** The driver signals an eventfd: of a doorbell, which {@link ringing} does, or one that is resampled. */
  #driverSignals({ handle }: FdEvent): void {
    this.#signals++;
    const fd = handle?.kind === 'eventfd' ? handle.fd : undefined;
    for (const { resample } of this.#lines)
      if (resample?.fd === fd && resample !== undefined) this.#signal(resample.own);
  }

  /** The engine has agreed to a call of a partition, or has not (undefined). */
  apply(pid: number, partition: bigint | undefined, call: EventfdCall, opened: OpenEventfds): void {
    const { kind, fd, gsi, deassign, resampleFd } = call;
    const [own, resampled] = opened.own;
    if (partition === undefined || deassign || own === undefined) {
      closeAll(opened.own);
      if (partition === undefined || kind !== 'irqfd') return;
      this.#remove(
        (line) => line.partition === partition && line.pid === pid && line.fd === fd && line.gsi === gsi,
      );
    } else if (kind === 'ioeventfd') this.#doorbells.set(this.#created, own);
    else {
      const line = { partition, pid, fd, own, gsi };
      const resample =
        resampleFd === undefined || resampled === undefined
          ? {}
          : { resample: { fd: resampleFd, own: resampled } };
      this.#lines.push({ ...line, ...resample });
      this.#poll.add(own);
    }
  }

  /** The partition's file is closed. */
  release(partition: bigint): void {
    this.#remove((line) => line.partition === partition);
  }

  /** Lines that were signalled, after a poll. */
  signalled(): Signal[] {
    const signals: Signal[] = [];
    for (const { pid, fd, own, partition, gsi } of this.#lines) {
      if (!this.#poll.isReadable(own)) continue;
      const { address, view } = this.#word;
      // struct iovec, then the word.
      this.#word.setU64(0, address + 2 * WORD);
      this.#word.setU64(WORD, WORD);
      if (syscall(NR.preadv2, own, address, 1, -1, -1, RWF_NOWAIT) === WORD)
        signals.push({ pid, fd, value: view.getBigUint64(2 * WORD, true), partition, gsi });
    }
    return signals;
  }

  /** Does `ring`, and signals the eventfd of a port where the driver did. */
  ringing(port: number, ring: () => void): void {
    this.#signals = 0;
    ring();
    const own = this.#doorbells.get(port);
    if (this.#signals === 0 || own === undefined) return;
    this.#signal(own);
  }

  #signal(own: number): void {
    this.#word.setU64(0, 1);
    syscall3(NR.write, own, this.#word.address, WORD);
  }

  #drop(port: number): void {
    const own = this.#doorbells.get(port);
    this.#doorbells.delete(port);
    if (own !== undefined) syscall(NR.close, own);
  }

  #remove(which: (line: Line) => boolean): void {
    for (const line of this.#lines.filter(which)) {
      this.#poll.remove(line.own);
      syscall(NR.close, line.own);
      if (line.resample !== undefined) syscall(NR.close, line.resample.own);
    }
    this.#lines = this.#lines.filter((line) => !which(line));
  }
}
