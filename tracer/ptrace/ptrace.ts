import { Arena } from '../native/arena.ts';
import { syscall4 } from '../native/libc.ts';
import { ERRNO, NR } from '../native/numbers.ts';

/** Linux include/uapi/linux/ptrace.h. */
const REQUEST = {
  cont: 7,
  getRegisters: 12,
  setRegisters: 13,
  detach: 17,
  syscall: 24,
  getEventMessage: 0x4201,
  seize: 0x4206,
  interrupt: 0x4207,
  listen: 0x4208,
  getSyscallInfo: 0x420e,
} as const;

/** PTRACE_O_…: what is told of, and that children are traced as well. */
export const OPTION = {
  sysgood: 1,
  fork: 2,
  vfork: 4,
  clone: 8,
  exec: 0x10,
  seccomp: 0x80,
  /** Tracees die with the tracer. */
  exitKill: 0x100000,
} as const;

/** Whatever a traced process makes is traced too, and its calls are told of. */
export const FOLLOW = OPTION.sysgood | OPTION.fork | OPTION.vfork | OPTION.clone | OPTION.exec;

/** PTRACE_EVENT_…, as they stand above the signal of a stop. */
export const EVENT = { fork: 1, vfork: 2, clone: 3, exec: 4, seccomp: 7, stop: 128 } as const;

/** __WALL and __WNOTHREAD: tracees and children of this thread only, threads too, none of those Node waits for. */
const WAIT = 0x60000000;
const STOPPED = 0x7f;
/** PTRACE_O_TRACESYSGOOD: SIGTRAP with bit 7. */
const SYSCALL_STOP = 0x85;

/** struct ptrace_syscall_info. */
const INFO = { bytes: 88, op: 0, arch: 4, ip: 8, sp: 16, nr: 24, result: 24, args: 32 } as const;
/** PTRACE_SYSCALL_INFO_ENTRY, _EXIT, _SECCOMP. */
export const SYSCALL_OP = { entry: 1, exit: 2, seccomp: 3 } as const;

/** What wait() tells of a thread. */
export type Change =
  | { readonly kind: 'ended'; readonly tid: number; readonly status: number }
  | { readonly kind: 'syscall'; readonly tid: number }
  | { readonly kind: 'event'; readonly tid: number; readonly event: number; readonly signal: number }
  | { readonly kind: 'signal'; readonly tid: number; readonly signal: number };

/** A system call that a thread is about to make. The arguments are read as numbers: exact below 2^53. */
export interface Entry {
  readonly arch: number;
  readonly ip: number;
  readonly sp: number;
  readonly nr: number;
  readonly args: readonly [number, number, number, number, number, number];
}

/** ptrace as this thread uses it. All of it is done from one thread, as the kernel demands. */
export class Ptrace {
  readonly #status = new Arena(16);
  readonly #info = new Arena(INFO.bytes);
  readonly #message = new Arena(8);

  /** Takes hold of a thread without stopping it. 0, or a negative errno. */
  seize(tid: number, options: number): number {
    return this.#request(REQUEST.seize, tid, options);
  }

  interrupt(tid: number): number {
    return this.#request(REQUEST.interrupt, tid, 0);
  }

  /** Lets a stopped thread go on to its next stop but those of system calls. */
  cont(tid: number, signal = 0): void {
    this.#request(REQUEST.cont, tid, signal);
  }

  /** Lets a stopped thread go on to the next entry or exit of a system call, or another stop. */
  syscall(tid: number, signal = 0): void {
    this.#request(REQUEST.syscall, tid, signal);
  }

  /** Leaves a thread in the stop of its group until that ends. */
  listen(tid: number): void {
    this.#request(REQUEST.listen, tid, 0);
  }

  /** 0, or a negative errno: -ESRCH of a thread that is not stopped, because it was killed. */
  detach(tid: number, signal = 0): number {
    return this.#request(REQUEST.detach, tid, signal);
  }

  /** PTRACE_GETEVENTMSG: the new thread of a clone, the former id of a thread that did exec. */
  eventMessage(tid: number): number {
    this.#request(REQUEST.getEventMessage, tid, this.#message.address);
    return this.#message.u64(0);
  }

  /** Reads the general registers; false where the thread is gone. */
  registers(tid: number, into: Arena): boolean {
    return this.#request(REQUEST.getRegisters, tid, into.address) >= 0;
  }

  setRegisters(tid: number, from: Arena): void {
    this.#request(REQUEST.setRegisters, tid, from.address);
  }

  /** Reads of which system call a stop is; SYSCALL_OP, or 0 where the thread is gone. */
  readInfo(tid: number): number {
    const { address } = this.#info;
    const read = syscall4(NR.ptrace, REQUEST.getSyscallInfo, tid, INFO.bytes, address);
    return read < 0 ? 0 : (this.#info.bytes[INFO.op] as number);
  }

  /** After {@link readInfo} of an entry. */
  entry(): Entry {
    const info = this.#info;
    const arg = (index: number) => info.u64(INFO.args + 8 * index);
    return {
      arch: info.view.getUint32(INFO.arch, true),
      ip: info.u64(INFO.ip),
      sp: info.u64(INFO.sp),
      nr: info.u64(INFO.nr),
      args: [arg(0), arg(1), arg(2), arg(3), arg(4), arg(5)],
    };
  }

  /** After {@link readInfo} of an exit: the result, a failure as the negative errno. */
  result(): number {
    return Number(this.#info.view.getBigInt64(INFO.result, true));
  }

  /** Waits for something to happen to a tracee or child of this thread, or to one of them; undefined when there is none. */
  wait(which = -1): Change | undefined {
    let tid: number;
    do tid = syscall4(NR.wait4, which, this.#status.address, WAIT, 0);
    while (tid === -ERRNO.EINTR);
    if (tid < 0) return undefined;
    const status = this.#status.view.getUint32(0, true);
    if ((status & 0xff) !== STOPPED) return { kind: 'ended', tid, status: shellStatus(status) };
    const signal = (status >> 8) & 0xff;
    if (signal === SYSCALL_STOP) return { kind: 'syscall', tid };
    const event = status >>> 16;
    return event === 0 ? { kind: 'signal', tid, signal } : { kind: 'event', tid, event, signal };
  }

  #request(request: number, tid: number, data: number): number {
    return syscall4(NR.ptrace, request, tid, 0, data);
  }
}

/** As a shell says it: the status of an exit, or 128 + signal. */
function shellStatus(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
