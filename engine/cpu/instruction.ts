/** One decoded instruction: what the executing functions read. */
import { type Machine, NO_REGISTER } from './machine.ts';

export type Execute = (m: Machine, i: Instruction) => void;

/** `rm` of an instruction whose operand is in memory. */
export const MEMORY = -1;

const COLD = 0;

/** Base, index and displacement of 64 bits; the displacement alone, from the next instruction on. */
export const LONG_ADDRESS = 1;
export const RIP_ADDRESS = 2;

export const REP_NONE = 0;
export const REPE = 1;
export const REPNE = 2;

/** What is read most stands first: decoded code is more than a cache holds. */
export class Instruction {
  /** One of the commonest forms (hot/forms.ts), and its operands as indexes into a view; COLD for all others. */
  hot = COLD;
  to = 0;
  from = 2 * NO_REGISTER;
  imm = 0;
  /** Address of the memory operand: indexes into g32, a shift, a displacement, what the sum is cut to. */
  segment = 0;
  /** 0, or how an address of 64 bits is made: LONG_ADDRESS or RIP_ADDRESS. */
  long = 0;
  disp = 0;
  base = 2 * NO_REGISTER;
  index = 2 * NO_REGISTER;
  scale = 0;
  /** Which of a family: ALU operation, shift, condition code, string operation, segment register. */
  kind = 0;
  execute: Execute;
  /** Operand size in bytes. */
  size = 4;
  /** The `reg` operand: index into the view of the operand size (machine.ts), or a plain number. */
  reg = 0;
  /** The `rm` operand where it is a register: index into the view of the operand size; else MEMORY. */
  rm = MEMORY;
  addressMask = -1;
  /** The upper half of an absolute address of 64 bits. */
  dispHigh = 0;
  /** The second immediate: the selector of a far pointer, the level of ENTER. */
  imm2 = 0;
  rep = REP_NONE;
  /** Bytes from the start of its block, and bytes of its own. */
  offset = 0;
  length = 0;
  /** The run loop looks at the machine again after it: jumps, mode changes, exits. */
  endsBlock = false;

  constructor(execute: Execute) {
    this.execute = execute;
  }
}
