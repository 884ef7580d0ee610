/**
 * The straight part of a block. The commonest forms of 32-bit code are run here by one switch, which keeps the register
 * file at hand; a call for each instruction costs about as much as the instruction. What they mean stands in exec/: a hot
 * form only fetches its operands in a shorter way. Everything else is called.
 */
import {
  ADD,
  AND,
  aluAccImm,
  aluRegRm,
  aluRmImm,
  aluRmReg,
  borrowsOfDifference,
  CMP,
  carriesOfSum,
  cmpAccImm,
  cmpRegRm,
  cmpRmImm,
  cmpRmReg,
  compute,
  decRm,
  incRm,
  keepingCarry,
  OR,
  SUB,
  testRmReg,
  XOR,
} from './exec/alu.ts';
import { lea, movRegRm, movRmImm, movRmReg } from './exec/moves.ts';
import { popRm, pushRm } from './exec/stack.ts';
import { add8, compute8, subtract8 } from './exec64/alu.ts';
import { WIDE } from './exec64/index.ts';
import { lea as lea8 } from './exec64/moves.ts';
import { peek8, push8 } from './exec64/stack.ts';
import { CARRY_BITS, resultWord } from './flags.ts';
import { type Execute, type Instruction, MEMORY } from './instruction.ts';
import { CARRIES, type Machine, RESULT } from './machine.ts';
import { load, store } from './memory.ts';
import { effectiveAddress, peek, push, setStackPointer, stackOffset } from './operands.ts';
import { load8, store8 } from './wide-operands.ts';

/** `to` and `from` are registers; with an immediate `from` is the register that stays 0, and `imm` is added to it. */
const HOT_MOVE = 1;
const HOT_ADD = 2;
const HOT_SUB = 3;
const HOT_CMP = 4;
const HOT_AND = 5;
const HOT_OR = 6;
const HOT_XOR = 7;
const HOT_TEST = 8;
/** `to` is a register, the other operand is in memory. */
const HOT_LOAD = 9;
const HOT_STORE = 10;
const HOT_LEA = 11;
const HOT_ALU_LOAD = 12;
const HOT_PUSH = 13;
const HOT_POP = 14;
const HOT_INC = 15;
const HOT_DEC = 16;
/** The same with operands of 64 bits; an immediate is added with its sign. */
const HOT8_MOVE = 17;
const HOT8_ADD = 18;
const HOT8_SUB = 19;
const HOT8_CMP = 20;
const HOT8_AND = 21;
const HOT8_OR = 22;
const HOT8_XOR = 23;
const HOT8_TEST = 24;
const HOT8_LOAD = 25;
const HOT8_STORE = 26;
const HOT8_LEA = 27;
const HOT8_ALU_LOAD = 28;
const HOT8_PUSH = 29;
const HOT8_POP = 30;
const HOT8_INC = 31;
const HOT8_DEC = 32;
/** From a form to that with 64 bits. */
const WIDER = 16;

const HOT_OF_KIND: ReadonlyMap<number, number> = new Map([
  [ADD, HOT_ADD],
  [SUB, HOT_SUB],
  [CMP, HOT_CMP],
  [AND, HOT_AND],
  [OR, HOT_OR],
  [XOR, HOT_XOR],
]);

type Shape = 'rm, reg' | 'reg, rm' | 'rm, imm' | 'accumulator, imm';

/** Register forms; `kind` is that of `HOT_OF_KIND`, or a hot code of its own. */
const REGISTER_FORMS: ReadonlyMap<Execute, { shape: Shape; hot?: number }> = new Map<
  Execute,
  { shape: Shape; hot?: number }
>([
  [movRmReg, { shape: 'rm, reg', hot: HOT_MOVE }],
  [movRegRm, { shape: 'reg, rm', hot: HOT_MOVE }],
  [movRmImm, { shape: 'rm, imm', hot: HOT_MOVE }],
  [aluRmReg, { shape: 'rm, reg' }],
  [aluRegRm, { shape: 'reg, rm' }],
  [aluRmImm, { shape: 'rm, imm' }],
  [aluAccImm, { shape: 'accumulator, imm' }],
  [cmpRmReg, { shape: 'rm, reg', hot: HOT_CMP }],
  [cmpRegRm, { shape: 'reg, rm', hot: HOT_CMP }],
  [cmpRmImm, { shape: 'rm, imm', hot: HOT_CMP }],
  [cmpAccImm, { shape: 'accumulator, imm', hot: HOT_CMP }],
  [testRmReg, { shape: 'rm, reg', hot: HOT_TEST }],
]);

const MEMORY_FORMS: ReadonlyMap<Execute, number> = new Map<Execute, number>([
  [movRegRm, HOT_LOAD],
  [movRmReg, HOT_STORE],
  [lea, HOT_LEA],
  [aluRegRm, HOT_ALU_LOAD],
]);

/** One register operand. */
const SINGLE_FORMS: ReadonlyMap<Execute, number> = new Map<Execute, number>([
  [pushRm, HOT_PUSH],
  [popRm, HOT_POP],
  [incRm, HOT_INC],
  [decRm, HOT_DEC],
]);

/** Back from the functions of 64-bit operands to those that they stand in for. */
const NARROW: ReadonlyMap<Execute, Execute> = new Map([...WIDE].map(([narrow, wide]) => [wide, narrow]));

/** Gives an instruction its hot form, where it has one. */
export function markHot(i: Instruction): void {
  const narrow = i.size === 8 ? NARROW.get(i.execute) : i.execute;
  if ((i.size !== 4 && i.size !== 8) || narrow === undefined) return;
  const wider = i.size === 8 ? WIDER : 0;
  if (i.rm === MEMORY) {
    const hot = MEMORY_FORMS.get(narrow);
    if (hot !== undefined) {
      i.hot = hot + wider;
      i.to = i.reg;
      return;
    }
  }
  const single = SINGLE_FORMS.get(narrow);
  if (single !== undefined && i.rm !== MEMORY) {
    i.hot = single + wider;
    i.to = i.rm;
    return;
  }
  const form = REGISTER_FORMS.get(narrow);
  if (form === undefined) return;
  const accumulator = form.shape === 'accumulator, imm';
  const hot = form.hot ?? HOT_OF_KIND.get(i.kind);
  if (hot === undefined || (!accumulator && i.rm === MEMORY)) return;
  i.hot = hot + wider;
  i.to = accumulator ? 0 : form.shape === 'reg, rm' ? i.reg : i.rm;
  if (form.shape === 'rm, reg') i.from = i.reg;
  else if (form.shape === 'reg, rm') i.from = i.rm;
}

/**
 * Executes the instructions before `end` and gives the index of the next one; after a store into the block's own code
 * (`Machine.leaveBlock`) that of the instruction that made it. Where one leaves, `Machine.position` is its index.
 */
export function runStraight(m: Machine, instructions: readonly Instruction[], end: number): number {
  const g = m.g32;
  const lazy = m.lazy;
  for (let k = 0; k < end; k += 1) {
    const i = instructions[k]!;
    const to = i.to;
    switch (i.hot) {
      case HOT_MOVE:
        g[to] = g[i.from]! + i.imm;
        g[to + 1] = 0;
        break;
      case HOT_ADD: {
        const a = g[to]!;
        const b = (g[i.from]! + i.imm) | 0;
        const result = (a + b) | 0;
        g[to] = result;
        g[to + 1] = 0;
        lazy[RESULT] = result;
        lazy[CARRIES] = carriesOfSum(a, b, result) & CARRY_BITS;
        break;
      }
      case HOT_SUB: {
        const a = g[to]!;
        const b = (g[i.from]! + i.imm) | 0;
        const result = (a - b) | 0;
        g[to] = result;
        g[to + 1] = 0;
        lazy[RESULT] = result;
        lazy[CARRIES] = borrowsOfDifference(a, b, result) & CARRY_BITS;
        break;
      }
      case HOT_CMP: {
        const a = g[to]!;
        const b = (g[i.from]! + i.imm) | 0;
        const result = (a - b) | 0;
        lazy[RESULT] = result;
        lazy[CARRIES] = borrowsOfDifference(a, b, result) & CARRY_BITS;
        break;
      }
      case HOT_AND: {
        const result = g[to]! & (g[i.from]! + i.imm);
        g[to] = result;
        g[to + 1] = 0;
        lazy[RESULT] = result;
        lazy[CARRIES] = 0;
        break;
      }
      case HOT_OR: {
        const result = g[to]! | (g[i.from]! + i.imm);
        g[to] = result;
        g[to + 1] = 0;
        lazy[RESULT] = result;
        lazy[CARRIES] = 0;
        break;
      }
      case HOT_XOR: {
        const result = g[to]! ^ (g[i.from]! + i.imm);
        g[to] = result;
        g[to + 1] = 0;
        lazy[RESULT] = result;
        lazy[CARRIES] = 0;
        break;
      }
      case HOT_TEST:
        lazy[RESULT] = g[to]! & g[i.from]!;
        lazy[CARRIES] = 0;
        break;
      case HOT_LOAD:
        m.position = k;
        g[to] = load(m, i.segment, effectiveAddress(m, i), 4);
        g[to + 1] = 0;
        break;
      case HOT_STORE:
        m.position = k;
        store(m, i.segment, effectiveAddress(m, i), 4, g[to]!);
        if (m.leaveBlock) return k;
        break;
      case HOT_LEA:
        g[to] = effectiveAddress(m, i);
        g[to + 1] = 0;
        break;
      case HOT_ALU_LOAD:
        m.position = k;
        g[to] = compute(m, i.kind, g[to]!, load(m, i.segment, effectiveAddress(m, i), 4), 4);
        g[to + 1] = 0;
        break;
      case HOT_PUSH:
        m.position = k;
        push(m, g[to]!, 4);
        if (m.leaveBlock) return k;
        break;
      case HOT_POP: {
        m.position = k;
        const value = peek(m, 0, 4);
        setStackPointer(m, stackOffset(m, 4));
        g[to] = value;
        g[to + 1] = 0;
        break;
      }
      case HOT_INC: {
        const a = g[to]!;
        const result = (a + 1) | 0;
        g[to] = result;
        g[to + 1] = 0;
        lazy[CARRIES] = keepingCarry(lazy[CARRIES]!, carriesOfSum(a, 1, result));
        lazy[RESULT] = result;
        break;
      }
      case HOT_DEC: {
        const a = g[to]!;
        const result = (a - 1) | 0;
        g[to] = result;
        g[to + 1] = 0;
        lazy[CARRIES] = keepingCarry(lazy[CARRIES]!, borrowsOfDifference(a, 1, result));
        lazy[RESULT] = result;
        break;
      }
      case HOT8_MOVE: {
        // Without a register it is the immediate; with one that is 0, and its sign too.
        const low = g[i.from]! + i.imm;
        g[to + 1] = g[i.from + 1]! + (i.imm >> 31);
        g[to] = low;
        break;
      }
      case HOT8_ADD:
        g[to] = add8(m, g[to]!, g[to + 1]!, g[i.from]! + i.imm, g[i.from + 1]! + (i.imm >> 31));
        g[to + 1] = m.high;
        break;
      case HOT8_SUB:
        g[to] = subtract8(m, g[to]!, g[to + 1]!, g[i.from]! + i.imm, g[i.from + 1]! + (i.imm >> 31));
        g[to + 1] = m.high;
        break;
      case HOT8_CMP:
        subtract8(m, g[to]!, g[to + 1]!, g[i.from]! + i.imm, g[i.from + 1]! + (i.imm >> 31));
        break;
      case HOT8_AND: {
        const low = g[to]! & (g[i.from]! + i.imm);
        const high = g[to + 1]! & (g[i.from + 1]! + (i.imm >> 31));
        g[to] = low;
        g[to + 1] = high;
        lazy[RESULT] = resultWord(low, high);
        lazy[CARRIES] = 0;
        break;
      }
      case HOT8_OR: {
        const low = g[to]! | (g[i.from]! + i.imm);
        const high = g[to + 1]! | (g[i.from + 1]! + (i.imm >> 31));
        g[to] = low;
        g[to + 1] = high;
        lazy[RESULT] = resultWord(low, high);
        lazy[CARRIES] = 0;
        break;
      }
      case HOT8_XOR: {
        const low = g[to]! ^ (g[i.from]! + i.imm);
        const high = g[to + 1]! ^ (g[i.from + 1]! + (i.imm >> 31));
        g[to] = low;
        g[to + 1] = high;
        lazy[RESULT] = resultWord(low, high);
        lazy[CARRIES] = 0;
        break;
      }
      case HOT8_TEST:
        lazy[RESULT] = resultWord(g[to]! & g[i.from]!, g[to + 1]! & g[i.from + 1]!);
        lazy[CARRIES] = 0;
        break;
      case HOT8_LOAD: {
        m.position = k;
        const low = load8(m, i.segment, effectiveAddress(m, i));
        g[to] = low;
        g[to + 1] = m.high;
        break;
      }
      case HOT8_STORE:
        m.position = k;
        store8(m, i.segment, effectiveAddress(m, i), g[to]!, g[to + 1]!);
        if (m.leaveBlock) return k;
        break;
      case HOT8_LEA:
        lea8(m, i);
        break;
      case HOT8_ALU_LOAD: {
        m.position = k;
        const low = load8(m, i.segment, effectiveAddress(m, i));
        g[to] = compute8(m, i.kind, g[to]!, g[to + 1]!, low, m.high);
        g[to + 1] = m.high;
        break;
      }
      case HOT8_PUSH:
        m.position = k;
        push8(m, g[to]!, g[to + 1]!);
        if (m.leaveBlock) return k;
        break;
      case HOT8_POP: {
        m.position = k;
        const low = peek8(m, 0);
        const high = m.high;
        setStackPointer(m, stackOffset(m, 8));
        g[to] = low;
        g[to + 1] = high;
        break;
      }
      case HOT8_INC: {
        const before = lazy[CARRIES]!;
        g[to] = add8(m, g[to]!, g[to + 1]!, 1, 0);
        g[to + 1] = m.high;
        lazy[CARRIES] = keepingCarry(before, lazy[CARRIES]!);
        break;
      }
      case HOT8_DEC: {
        const before = lazy[CARRIES]!;
        g[to] = subtract8(m, g[to]!, g[to + 1]!, 1, 0);
        g[to + 1] = m.high;
        lazy[CARRIES] = keepingCarry(before, lazy[CARRIES]!);
        break;
      }
      default:
        m.position = k;
        i.execute(m, i);
        if (m.leaveBlock) return k;
    }
  }
  return end;
}
