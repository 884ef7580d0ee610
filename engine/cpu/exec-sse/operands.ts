/** XMM registers as operands. A source in memory is read into one register more, so that both are the same to use. */
import { type Execute, type Instruction, MEMORY } from '../instruction.ts';
import { CR0_EM, CR0_TS, GP, type Machine, NM, UD, XMM_SCRATCH } from '../machine.ts';
import { load, probeStore, store } from '../memory.ts';
import { effectiveAddress } from '../operands.ts';

const CR4_OSFXSR = 0x200;

/** #UD unless the guest has switched SSE on, #NM where it wants to see its first use. */
export function ready(m: Machine): void {
  if ((m.cr0 & CR0_EM) !== 0 || (m.cr4 & CR4_OSFXSR) === 0) m.fault(UD);
  if ((m.cr0 & CR0_TS) !== 0) m.fault(NM);
  m.xmmTouched = true;
}

/** The XMM register of an rm operand: its index is that of a general register. */
export const registerOf = (i: Instruction): number => i.rm >> 1;

function aligned(m: Machine, i: Instruction, offset: number): number {
  if (((m.bases[i.segment]! + offset) & 15) !== 0) m.fault(GP, 0);
  return offset;
}

/** `bytes` of memory (2, 4, 8 or 16) into the register beyond the others; what is above them becomes 0. */
export function fromMemory(m: Machine, i: Instruction, bytes: number, isAligned = false): number {
  const offset = effectiveAddress(m, i);
  if (isAligned) aligned(m, i, offset);
  const at = 4 * XMM_SCRATCH;
  for (let n = 0; n < 4; n += 1)
    m.x32[at + n] = 4 * n < bytes ? load(m, i.segment, offset + 4 * n, bytes === 2 ? 2 : 4) : 0;
  return XMM_SCRATCH;
}

/** The source of 16 bytes; in memory it must be aligned. */
export function source(m: Machine, i: Instruction): number {
  ready(m);
  return i.rm === MEMORY ? fromMemory(m, i, 16, true) : registerOf(i);
}

/** A source of which only the lowest `bytes` count. */
export function scalarSource(m: Machine, i: Instruction, bytes: number): number {
  ready(m);
  return i.rm === MEMORY ? fromMemory(m, i, bytes) : registerOf(i);
}

/** What an instruction does to a register with another one, both by their numbers. */
export type Operation = (m: Machine, to: number, from: number, imm: number) => void;

/** An operation on two XMM registers, or on one and 16 aligned bytes. */
export function onVectors(operation: Operation): Execute {
  return (m, i) => {
    const from = source(m, i);
    operation(m, i.reg, from, i.imm);
  };
}

/** Stores words of a register, from `first` on; nothing is written unless all can be. */
export function toMemory(
  m: Machine,
  i: Instruction,
  register: number,
  first: number,
  words: number,
  isAligned = false,
): void {
  const offset = effectiveAddress(m, i);
  if (isAligned) aligned(m, i, offset);
  probeStore(m, i.segment, offset, 4 * words);
  for (let n = 0; n < words; n += 1) store(m, i.segment, offset + 4 * n, 4, m.x32[4 * register + first + n]!);
}

export function copy(m: Machine, to: number, from: number, words = 4, toFirst = 0, fromFirst = 0): void {
  for (let n = 0; n < words; n += 1) m.x32[4 * to + toFirst + n] = m.x32[4 * from + fromFirst + n]!;
}
