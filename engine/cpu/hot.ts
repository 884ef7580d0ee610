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
import { CARRY_BITS } from './flags.ts';
import { type Execute, type Instruction, MEMORY } from './instruction.ts';
import { CARRIES, type Machine, RESULT } from './machine.ts';
import { load, store } from './memory.ts';
import { effectiveAddress, peek, push, setStackPointer, stackOffset } from './operands.ts';

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

/** Gives an instruction its hot form, where it has one. */
export function markHot(i: Instruction): void {
  if (i.size !== 4) return;
  if (i.rm === MEMORY) {
    const hot = MEMORY_FORMS.get(i.execute);
    if (hot !== undefined) {
      i.hot = hot;
      i.to = i.reg;
      return;
    }
  }
  const single = SINGLE_FORMS.get(i.execute);
  if (single !== undefined && i.rm !== MEMORY) {
    i.hot = single;
    i.to = i.rm;
    return;
  }
  const form = REGISTER_FORMS.get(i.execute);
  if (form === undefined) return;
  const accumulator = form.shape === 'accumulator, imm';
  const hot = form.hot ?? HOT_OF_KIND.get(i.kind);
  if (hot === undefined || (!accumulator && i.rm === MEMORY)) return;
  i.hot = hot;
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
      default:
        m.position = k;
        i.execute(m, i);
        if (m.leaveBlock) return k;
    }
  }
  return end;
}
