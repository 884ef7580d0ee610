import { Arena } from '../native/arena.ts';
import { syscall } from '../native/libc.ts';
import { ERRNO, NR } from '../native/numbers.ts';
import { EVENT, type Ptrace } from './ptrace.ts';
import { NO_CALL, REGISTERS_BYTES, SYSCALL_INSTRUCTION_BYTES, WORD } from './registers.ts';

const PLACES = [WORD.rdi, WORD.rsi, WORD.rdx, WORD.r10, WORD.r8, WORD.r9] as const;

/**
 * System calls that a stopped thread does in our name. It has to be stopped at the end of a call of its own: its
 * instruction pointer then stands behind a `syscall` instruction, which is used.
 */
export class RemoteCalls {
  readonly #ptrace: Ptrace;
  readonly #pid: number;
  readonly #tid: number;
  readonly #registers = new Arena(REGISTERS_BYTES);
  readonly #saved = new Uint8Array(REGISTERS_BYTES);
  readonly #late: number[] = [];
  /** Whether the last call was announced by a filter's SECCOMP_RET_TRACE. */
  announced = false;

  constructor(ptrace: Ptrace, pid: number, tid: number) {
    this.#ptrace = ptrace;
    this.#pid = pid;
    this.#tid = tid;
  }

  /** Remembers where the thread is; false when it has died. */
  save(): boolean {
    if (!this.#ptrace.registers(this.#tid, this.#registers)) return false;
    this.#saved.set(this.#registers.bytes);
    return true;
  }

  /** After {@link save}: the stack pointer. */
  get stack(): number {
    return Number(new DataView(this.#saved.buffer).getBigUint64(8 * WORD.rsp, true));
  }

  /** A system call of the thread; its result, or a negative errno. */
  call(nr: number, ...args: readonly number[]): number {
    const { bytes, view } = this.#registers;
    bytes.set(this.#saved);
    this.#set(WORD.rip, view.getBigUint64(8 * WORD.rip, true) - SYSCALL_INSTRUCTION_BYTES);
    this.#set(WORD.rax, BigInt(nr));
    this.#set(WORD.origRax, NO_CALL);
    PLACES.forEach((word, index) => {
      this.#set(word, BigInt(args[index] ?? 0));
    });
    this.#ptrace.setRegisters(this.#tid, this.#registers);
    this.announced = false;
    // Entry, then exit.
    for (let stops = 0; stops < 2; stops++) {
      this.#ptrace.syscall(this.#tid);
      if (!this.#reachesCall()) return -ERRNO.ENOMEM;
    }
    this.#ptrace.registers(this.#tid, this.#registers);
    return Number(view.getBigInt64(8 * WORD.rax, true));
  }

  /** Puts the thread back to where it was; `result` replaces what its own call returned. */
  restore(result?: number): void {
    this.#registers.bytes.set(this.#saved);
    this.#set(WORD.origRax, NO_CALL);
    if (result !== undefined) this.#set(WORD.rax, BigInt(result));
    this.#ptrace.setRegisters(this.#tid, this.#registers);
  }

  /** Sends again what came in between; after the thread was let go. */
  sendLate(): void {
    for (const signal of this.#late.splice(0)) syscall(NR.tgkill, this.#pid, this.#tid, signal);
  }

  /** Until a system call begins or ends; signals that come between wait until the thread is let go. */
  #reachesCall(): boolean {
    for (;;) {
      const change = this.#ptrace.wait(this.#tid);
      if (change === undefined || change.kind === 'ended') return false;
      if (change.kind === 'syscall') return true;
      if (change.kind === 'signal') this.#late.push(change.signal);
      else if (change.event === EVENT.seccomp) this.announced = true;
      this.#ptrace.syscall(this.#tid);
    }
  }

  #set(word: number, value: bigint): void {
    this.#registers.view.setBigInt64(8 * word, value, true);
  }
}
