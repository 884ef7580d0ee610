import { Arena } from '../../native/arena.ts';
import { syscall3 } from '../../native/libc.ts';
import { ARCH_I386, ERRNO, NR, NR32, O_CLOEXEC } from '../../native/numbers.ts';

/** ioctls of a listener (Linux include/uapi/linux/seccomp.h). */
const RECEIVE = 0xc0502100;
const SEND = 0xc0182101;
const ID_VALID = 0x40082102;
const ADD_FD = 0x40182103;
const SET_FLAGS = 0x40082104;

const SYNC_WAKE_UP = 1;
const CONTINUE = 1;
const ADD_AT_NUMBER = 1;
const ADD_AND_ANSWER = 2;

/** struct seccomp_notif: id, pid, flags, then struct seccomp_data. */
const NOTIF = { at: 0, bytes: 80, id: 0, pid: 8, nr: 16, arch: 20, ip: 24, args: 32 };
/** struct seccomp_notif_resp: id, val, error, flags. */
const RESPONSE = { at: 128, id: 128, value: 136, error: 144, flags: 148 };
/** struct seccomp_notif_addfd: id, flags, srcfd, newfd, newfd_flags. */
const ADD = { at: 192, id: 192, flags: 200, source: 204, number: 208, numberFlags: 212 };
const ID = 256;

const PAGE_BYTES = 4096;

/** What the calls of 32-bit programs are in the other interface. */
const OF_32_BITS: ReadonlyMap<number, number> = new Map([
  ...Object.entries(NR32).flatMap(([name, nr]): [number, number][] =>
    name in NR ? [[nr, NR[name as keyof typeof NR]]] : [],
  ),
  [NR32.fcntl64, NR.fcntl],
  [NR32.mmap2, NR.mmap],
]);

/** A system call of the program that waits for an answer. */
export interface Notification {
  readonly id: bigint;
  readonly tid: number;
  /** As 64-bit programs number it. */
  readonly nr: number;
  /** It is a call of a 32-bit program. */
  readonly compat: boolean;
  /** The arguments; those beyond 2^53 not exactly, but still beyond it. */
  readonly args: readonly [number, number, number, number, number, number];
}

/** The listener of the program's filter: takes its system calls and answers them. One thread uses it. */
export class Listener {
  readonly fd: number;
  readonly #arena = new Arena(512);

  constructor(fd: number) {
    this.fd = fd;
    // Hands the processor straight to the thread that waits; kernels before 6.6 do without.
    syscall3(NR.ioctl, fd, SET_FLAGS, SYNC_WAKE_UP);
  }

  /** The next call; undefined where the one that was announced is gone (its thread was killed or interrupted). */
  receive(): Notification | undefined {
    const { bytes, view, address } = this.#arena;
    bytes.fill(0, NOTIF.at, NOTIF.at + NOTIF.bytes);
    const result = syscall3(NR.ioctl, this.fd, RECEIVE, address + NOTIF.at);
    if (result === -ERRNO.ENOENT || result === -ERRNO.EINTR) return undefined;
    if (result < 0) throw new Error(`no notification from the kernel: errno ${-result}`);
    const arg = (index: number) => this.#arena.u64(NOTIF.args + 8 * index);
    const nr = view.getInt32(NOTIF.nr, true);
    const compat = view.getUint32(NOTIF.arch, true) === ARCH_I386;
    // mmap2 counts pages.
    const offset = compat && nr === NR32.mmap2 ? arg(5) * PAGE_BYTES : arg(5);
    return {
      id: view.getBigUint64(NOTIF.id, true),
      tid: view.getUint32(NOTIF.pid, true),
      nr: compat ? (OF_32_BITS.get(nr) ?? nr) : nr,
      compat,
      args: [arg(0), arg(1), arg(2), arg(3), arg(4), offset],
    };
  }

  /** Ends a call with a result or, when negative, an errno. False: nobody waits for it any more. */
  answer(id: bigint, result: number): boolean {
    return this.#send(id, result < 0 ? 0 : result, result < 0 ? result : 0, 0);
  }

  /** Lets the kernel do the call. */
  proceed(id: bigint): boolean {
    return this.#send(id, 0, 0, CONTINUE);
  }

  /** Whether the call still waits. What was read of its thread's memory before this was true is the caller's. */
  isWaiting(id: bigint): boolean {
    this.#arena.view.setBigUint64(ID, id, true);
    return syscall3(NR.ioctl, this.fd, ID_VALID, this.#arena.address + ID) === 0;
  }

  /**
   * Opens `source` in the program as descriptor `number` (undefined: the lowest that is free), and ends the call with
   * that number when `answers`. Returns the number, or a negative errno.
   */
  addFd(
    id: bigint,
    source: number,
    number: number | undefined,
    options: { readonly closeOnExec: boolean; readonly answers: boolean },
  ): number {
    const { view, address } = this.#arena;
    view.setBigUint64(ADD.id, id, true);
    const flags = (number === undefined ? 0 : ADD_AT_NUMBER) | (options.answers ? ADD_AND_ANSWER : 0);
    view.setUint32(ADD.flags, flags, true);
    view.setUint32(ADD.source, source, true);
    view.setUint32(ADD.number, number ?? 0, true);
    view.setUint32(ADD.numberFlags, options.closeOnExec ? O_CLOEXEC : 0, true);
    return syscall3(NR.ioctl, this.fd, ADD_FD, address + ADD.at);
  }

  #send(id: bigint, value: number, error: number, flags: number): boolean {
    const { view, address } = this.#arena;
    view.setBigUint64(RESPONSE.id, id, true);
    view.setBigInt64(RESPONSE.value, BigInt(value), true);
    view.setInt32(RESPONSE.error, error, true);
    view.setUint32(RESPONSE.flags, flags, true);
    return syscall3(NR.ioctl, this.fd, SEND, address + RESPONSE.at) >= 0;
  }
}
