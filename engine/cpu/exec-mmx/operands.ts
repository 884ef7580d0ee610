/**
 * MMX registers as operands. They are the significands of the x87 unit's registers, by their physical numbers; each instruction
 * but EMMS makes the top 0 and all of them valid (Intel SDM 1, 9.5.1). Operations work on copies in the XMM registers beyond those
 * that there are.
 */

import { fromMemory, type Operation } from '../exec-sse/operands.ts';
import { type Execute, type Instruction, MEMORY } from '../instruction.ts';
import { CR0_EM, CR0_TS, type Machine, NM, UD, XMM_SCRATCH, XMM_WORK } from '../machine.ts';
import { waitForExceptions } from '../x87/index.ts';
import { topOf, turn } from '../x87/unit.ts';

const REGISTERS = 8;
/** What a write leaves above the significand. */
const UPPER = 0xffff;

/** #UD, #NM, or the exception of the x87 unit that is pending, in this order (Intel SDM 2, 2.10: table 2-25). */
export function ready(m: Machine, i: Instruction): void {
  if ((m.cr0 & CR0_EM) !== 0) m.fault(UD);
  if ((m.cr0 & CR0_TS) !== 0) m.fault(NM);
  waitForExceptions(m, i);
}

/** The unit's registers are MMX's from here on: once nothing stops the instruction any more. */
export function begin(m: Machine): void {
  turn(m, -topOf(m));
  m.fpTags = (1 << REGISTERS) - 1;
  m.fpTouched = true;
}

/** Numbers of registers: REX does not reach them. */
export const numberOf = (i: Instruction): number => i.reg & (REGISTERS - 1);
export const registerOf = (i: Instruction): number => (i.rm >> 1) & (REGISTERS - 1);

/** Copies an MMX register to the lower half of an XMM register, whose upper half becomes 0. */
export function take(m: Machine, xmm: number, register: number): void {
  const to = 4 * xmm;
  m.x32[to] = m.fpStack[4 * register]!;
  m.x32[to + 1] = m.fpStack[4 * register + 1]!;
  m.x32[to + 2] = 0;
  m.x32[to + 3] = 0;
}

/** Copies the lower half of an XMM register, or its upper one, to an MMX register. */
export function put(m: Machine, register: number, xmm: number, half: 0 | 1 = 0): void {
  const from = 4 * xmm + 2 * half;
  const to = 4 * register;
  m.fpStack[to] = m.x32[from]!;
  m.fpStack[to + 1] = m.x32[from + 1]!;
  m.fpStack[to + 2] = UPPER;
  m.fpStack[to + 3] = 0;
}

/** The source, of `bytes` in memory, in XMM_SCRATCH; the unit is MMX's. */
export function source(m: Machine, i: Instruction, bytes: 4 | 8): void {
  ready(m, i);
  if (i.rm === MEMORY) fromMemory(m, i, bytes);
  begin(m);
  if (i.rm !== MEMORY) take(m, XMM_SCRATCH, registerOf(i));
}

/** How an operation on 16 bytes serves for 8. */
interface Halves {
  /** Of a source in memory. */
  readonly bytes?: 4 | 8;
  /** The source stands above the destination too: results of both come together in the lower half. */
  readonly joined?: boolean;
  /** Which half is the result. */
  readonly half?: 0 | 1;
}

export function onMmx(operation: Operation, { bytes = 8, joined = false, half = 0 }: Halves = {}): Execute {
  return (m, i) => {
    source(m, i, bytes);
    take(m, XMM_WORK, numberOf(i));
    if (joined) m.x64[2 * XMM_WORK + 1] = m.x64[2 * XMM_SCRATCH]!;
    operation(m, XMM_WORK, XMM_SCRATCH, i.imm);
    put(m, numberOf(i), XMM_WORK, half);
  };
}
