import { Arena } from '../../native/arena.ts';
import { syscall } from '../../native/libc.ts';
import { ERRNO, NR } from '../../native/numbers.ts';

/** Linux include/uapi/linux/ptrace.h. */
const REQUEST = {
  getRegisters: 12,
  setRegisters: 13,
  detach: 17,
  syscall: 24,
  seize: 0x4206,
  interrupt: 0x4207,
} as const;
const TRACESYSGOOD = 1;
/** __WALL and __WNOTHREAD: this thread's tracees only, threads too. */
const WAIT = 0x60000000;
const SYSCALL_STOP = 0x85;
const SIGTRAP = 5;

/** struct user_regs_struct: 27 words of 64 bits. */
const REGISTERS_BYTES = 216;
const WORD = { r10: 7, r9: 8, r8: 9, rax: 10, rdx: 12, rsi: 13, rdi: 14, origRax: 15, rip: 16 } as const;
const NO_CALL = -1n;
const SYSCALL_INSTRUCTION_BYTES = 2;

/**
 * Makes a thread of the program do system calls of our choosing, once, at the end of the call in which it waits.
 * All is done from one thread, as ptrace demands.
 */
export class Detour {
  readonly #tid: number;
  readonly #pid: number;
  readonly #status = new Arena(16);
  readonly #registers = new Arena(REGISTERS_BYTES);
  readonly #saved = new Uint8Array(REGISTERS_BYTES);
  readonly #late: number[] = [];

  private constructor(pid: number, tid: number) {
    this.#pid = pid;
    this.#tid = tid;
  }

  /** Takes hold of a thread that waits in a call; undefined where that is not permitted (it is traced already). */
  static seize(pid: number, tid: number): Detour | undefined {
    const detour = new Detour(pid, tid);
    return detour.#ptrace(REQUEST.seize, 0, TRACESYSGOOD) < 0 ? undefined : detour;
  }

  /** Lets the call end by `answer` and stops the thread before it goes on. False when it has died. */
  stopAfter(answer: () => void): boolean {
    this.#ptrace(REQUEST.interrupt, 0, 0);
    answer();
    if (!this.#waitForStop() || this.#ptrace(REQUEST.getRegisters, 0, this.#registers.address) < 0)
      return false;
    this.#saved.set(this.#registers.bytes);
    return true;
  }

  /** A system call of the thread; its result, or a negative errno. */
  call(nr: number, ...args: readonly number[]): number {
    const { bytes, view } = this.#registers;
    bytes.set(this.#saved);
    const set = (word: number, value: bigint) => view.setBigInt64(8 * word, value, true);
    const rip = view.getBigUint64(8 * WORD.rip, true);
    set(WORD.rip, rip - BigInt(SYSCALL_INSTRUCTION_BYTES));
    set(WORD.rax, BigInt(nr));
    set(WORD.origRax, NO_CALL);
    const places = [WORD.rdi, WORD.rsi, WORD.rdx, WORD.r10, WORD.r8, WORD.r9];
    places.forEach((word, index) => {
      set(word, BigInt(args[index] ?? 0));
    });
    this.#ptrace(REQUEST.setRegisters, 0, this.#registers.address);
    // Entry, then exit.
    for (let stops = 0; stops < 2; stops++) {
      this.#ptrace(REQUEST.syscall, 0, 0);
      if (!this.#waitForSyscall()) return -ERRNO.ENOMEM;
    }
    this.#ptrace(REQUEST.getRegisters, 0, this.#registers.address);
    return Number(view.getBigInt64(8 * WORD.rax, true));
  }

  /** Lets the thread go on as if nothing had been; `result` replaces what its own call returned. */
  release(result?: number): void {
    const { bytes, view } = this.#registers;
    bytes.set(this.#saved);
    view.setBigInt64(8 * WORD.origRax, NO_CALL, true);
    if (result !== undefined) view.setBigInt64(8 * WORD.rax, BigInt(result), true);
    this.#ptrace(REQUEST.setRegisters, 0, this.#registers.address);
    this.#ptrace(REQUEST.detach, 0, 0);
    for (const signal of this.#late) syscall(NR.tgkill, this.#pid, this.#tid, signal);
  }

  /** Until the stop of the interrupt. */
  #waitForStop(): boolean {
    return this.#wait() === SIGTRAP;
  }

  /** Until a system call begins or ends; signals that come between wait until the thread is let go. */
  #waitForSyscall(): boolean {
    for (;;) {
      const signal = this.#wait();
      if (signal === SYSCALL_STOP) return true;
      if (signal === undefined) return false;
      if (signal !== SIGTRAP) this.#late.push(signal);
      this.#ptrace(REQUEST.syscall, 0, 0);
    }
  }

  /** The signal of the next stop; undefined when the thread has died. */
  #wait(): number | undefined {
    let result: number;
    do result = syscall(NR.wait4, this.#tid, this.#status.address, WAIT);
    while (result === -ERRNO.EINTR);
    const status = this.#status.view.getUint32(0, true);
    return result < 0 || (status & 0xff) !== 0x7f ? undefined : (status >> 8) & 0xff;
  }

  #ptrace(request: number, address: number, data: number): number {
    return syscall(NR.ptrace, request, this.#tid, address, data);
  }
}
