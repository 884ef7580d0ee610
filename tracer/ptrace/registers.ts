import type { Arena } from '../native/arena.ts';
import { ERRNO } from '../native/numbers.ts';
import type { Ptrace } from './ptrace.ts';

/** struct user_regs_struct: 27 words of 64 bits. */
export const REGISTERS_BYTES = 216;
export const WORD = {
  ...{ r10: 7, r9: 8, r8: 9, rax: 10, rdx: 12, rsi: 13, rdi: 14, origRax: 15, rip: 16, rsp: 19 },
} as const;
/** What is in orig_rax outside of a call: the kernel then restarts nothing. */
export const NO_CALL = -1n;
export const SYSCALL_INSTRUCTION_BYTES = 2n;

/**
 * Lets a thread that has come out of a system call with EINTR, and has not gone on, make it again; `which` says for
 * which calls that is right (their number and first two arguments).
 */
export function rewind(
  ptrace: Ptrace,
  tid: number,
  registers: Arena,
  which: (nr: number, args: readonly [number, number]) => boolean = () => true,
): void {
  const { view } = registers;
  if (!ptrace.registers(tid, registers)) return;
  const get = (word: number) => view.getBigInt64(8 * word, true);
  const nr = get(WORD.origRax);
  if (nr < 0n || get(WORD.rax) !== BigInt(-ERRNO.EINTR)) return;
  if (!which(Number(nr), [Number(get(WORD.rdi)), Number(BigInt.asUintN(32, get(WORD.rsi)))])) return;
  view.setBigInt64(8 * WORD.rax, nr, true);
  view.setBigInt64(8 * WORD.rip, get(WORD.rip) - SYSCALL_INSTRUCTION_BYTES, true);
  ptrace.setRegisters(tid, registers);
}
