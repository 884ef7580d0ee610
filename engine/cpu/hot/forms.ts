/** Which instructions have a hot form: chain.ts runs these. */
import {
  ADD,
  AND,
  aluAccImm,
  aluRegRm,
  aluRmImm,
  aluRmReg,
  CMP,
  cmpAccImm,
  cmpRegRm,
  cmpRmImm,
  cmpRmReg,
  decRm,
  incRm,
  OR,
  SUB,
  testRmReg,
  XOR,
} from '../exec/alu.ts';
import { call, jcc, jmp, ret } from '../exec/control.ts';
import { cmov, lea, movRegRm, movRmImm, movRmReg, movsxd, movzx, nop } from '../exec/moves.ts';
import { shiftRmImm, shiftRmOne } from '../exec/shifts.ts';
import { popRm, pushRm } from '../exec/stack.ts';
import { WIDE } from '../exec64/index.ts';
import { PAGE_BYTES } from '../guest-memory.ts';
import { type Execute, type Instruction, MEMORY } from '../instruction.ts';
import { NO_REGISTER } from '../machine.ts';

/** From a form to that with 64 bits. */
const WIDER = 16;

/** What `Instruction.hot` may be; 0 is none. */
export const HOT = {
  // `to` and `from` are registers; with an immediate `from` is the register that stays 0, and `imm` is added to it.
  MOVE: 1,
  ADD: 2,
  SUB: 3,
  CMP: 4,
  AND: 5,
  OR: 6,
  XOR: 7,
  TEST: 8,
  // `to` is a register, the other operand is in memory; STORE adds an immediate to it.
  LOAD: 9,
  STORE: 10,
  LEA: 11,
  ALU_LOAD: 12,
  PUSH: 13,
  POP: 14,
  INC: 15,
  DEC: 16,
  // The same with operands of 64 bits; an immediate is added with its sign.
  MOVE_8: 17,
  ADD_8: 18,
  SUB_8: 19,
  CMP_8: 20,
  AND_8: 21,
  OR_8: 22,
  XOR_8: 23,
  TEST_8: 24,
  LOAD_8: 25,
  STORE_8: 26,
  LEA_8: 27,
  ALU_LOAD_8: 28,
  PUSH_8: 29,
  POP_8: 30,
  INC_8: 31,
  DEC_8: 32,
  // A register of 32 or 64 bits of a narrow register or operand, extended.
  ZERO_1: 33,
  ZERO_2: 34,
  LOAD_ZERO_1: 35,
  LOAD_ZERO_2: 36,
  SIGN_4: 37,
  LOAD_SIGN_4: 38,
  STORE_1: 39,
  STORE_2: 40,
  TEST_1: 41,
  // Called, but without a look at which function it is.
  CMP_ANY_REG: 42,
  CMP_REG_ANY: 43,
  CMP_ANY_IMM: 44,
  SHIFT: 45,
  SHIFT_8: 46,
  NOTHING: 47,
  // The last of a block: `from` is the offset behind it in the page, `to` that of its target.
  JUMP_IF: 48,
  JUMP: 49,
  CALL_4: 50,
  CALL_8: 51,
  RETURN_4: 52,
  RETURN_8: 53,
  JUMP_OUTSIDE: 54,
  // Called as well: of a byte, of 8 bytes between registers.
  CMP_ACC: 55,
  MOVE_IF: 56,
  /** `to` where the target is in another page. */
  OUTSIDE: -1,
} as const;

const HOT_OF_KIND: ReadonlyMap<number, number> = new Map([
  [ADD, HOT.ADD],
  [SUB, HOT.SUB],
  [CMP, HOT.CMP],
  [AND, HOT.AND],
  [OR, HOT.OR],
  [XOR, HOT.XOR],
]);

type Shape = 'rm, reg' | 'reg, rm' | 'rm, imm' | 'accumulator, imm';

/** Register forms; `kind` is that of `HOT_OF_KIND`, or a hot code of its own. */
const REGISTER_FORMS: ReadonlyMap<Execute, { shape: Shape; hot?: number }> = new Map<
  Execute,
  { shape: Shape; hot?: number }
>([
  [movRmReg, { shape: 'rm, reg', hot: HOT.MOVE }],
  [movRegRm, { shape: 'reg, rm', hot: HOT.MOVE }],
  [movRmImm, { shape: 'rm, imm', hot: HOT.MOVE }],
  [aluRmReg, { shape: 'rm, reg' }],
  [aluRegRm, { shape: 'reg, rm' }],
  [aluRmImm, { shape: 'rm, imm' }],
  [aluAccImm, { shape: 'accumulator, imm' }],
  [cmpRmReg, { shape: 'rm, reg', hot: HOT.CMP }],
  [cmpRegRm, { shape: 'reg, rm', hot: HOT.CMP }],
  [cmpRmImm, { shape: 'rm, imm', hot: HOT.CMP }],
  [cmpAccImm, { shape: 'accumulator, imm', hot: HOT.CMP }],
  [testRmReg, { shape: 'rm, reg', hot: HOT.TEST }],
]);

const MEMORY_FORMS: ReadonlyMap<Execute, number> = new Map<Execute, number>([
  [movRegRm, HOT.LOAD],
  [movRmReg, HOT.STORE],
  [lea, HOT.LEA],
  [aluRegRm, HOT.ALU_LOAD],
]);

/** One register operand. */
const SINGLE_FORMS: ReadonlyMap<Execute, number> = new Map<Execute, number>([
  [pushRm, HOT.PUSH],
  [popRm, HOT.POP],
  [incRm, HOT.INC],
  [decRm, HOT.DEC],
]);

/** Back from the functions of 64-bit operands to those that they stand in for. */
const NARROW: ReadonlyMap<Execute, Execute> = new Map([...WIDE].map(([narrow, wide]) => [wide, narrow]));

/** With operands of 1 and 2 bytes too, or only so. */
const ANY_FORMS: ReadonlyMap<Execute, number> = new Map<Execute, number>([
  [cmpRmReg, HOT.CMP_ANY_REG],
  [cmpRegRm, HOT.CMP_REG_ANY],
  [cmpRmImm, HOT.CMP_ANY_IMM],
  [cmpAccImm, HOT.CMP_ACC],
  [nop, HOT.NOTHING],
]);

/** Gives an instruction its hot form, where it has one. */
export function markHot(i: Instruction): void {
  const narrow = i.size === 8 ? (NARROW.get(i.execute) ?? i.execute) : i.execute;
  if (i.size === 8 && narrow === i.execute && narrow !== nop) return;
  const hot = i.size < 4 ? narrowForm(i) : wideForm(i, narrow);
  if (hot !== undefined) i.hot = hot;
  else if (i.size < 8 || narrow === nop) i.hot = ANY_FORMS.get(narrow) ?? i.hot;
}

/** A form with operands of 1 or 2 bytes. */
function narrowForm(i: Instruction): number | undefined {
  if (i.rm === MEMORY && (i.execute === movRmReg || i.execute === movRmImm)) {
    if (i.execute === movRmReg) i.to = i.reg;
    else i.to = (4 / i.size) * 2 * NO_REGISTER;
    return i.size === 1 ? HOT.STORE_1 : HOT.STORE_2;
  }
  if (i.size === 1 && i.rm !== MEMORY && i.execute === testRmReg) {
    i.to = i.rm;
    i.from = i.reg;
    return HOT.TEST_1;
  }
  return undefined;
}

/** A form with operands of 4 or 8 bytes: `narrow` is the function for 4. */
function wideForm(i: Instruction, narrow: Execute): number | undefined {
  const wider = i.size === 8 ? WIDER : 0;
  i.to = i.reg;
  if (narrow === movzx) {
    if (i.rm !== MEMORY) i.from = i.imm;
    if (i.kind === 1) return i.rm === MEMORY ? HOT.LOAD_ZERO_1 : HOT.ZERO_1;
    return i.rm === MEMORY ? HOT.LOAD_ZERO_2 : HOT.ZERO_2;
  }
  if (narrow === movsxd && i.size === 8) {
    if (i.rm !== MEMORY) i.from = i.rm;
    return i.rm === MEMORY ? HOT.LOAD_SIGN_4 : HOT.SIGN_4;
  }
  if (i.rm === MEMORY && narrow === movRmImm) {
    i.to = 2 * NO_REGISTER;
    return HOT.STORE + wider;
  }
  if (i.rm === MEMORY) {
    const hot = MEMORY_FORMS.get(narrow);
    if (hot !== undefined) return hot + wider;
  } else if (narrow === shiftRmImm || narrow === shiftRmOne) {
    if (narrow === shiftRmOne) i.imm = 1;
    return i.size === 8 ? HOT.SHIFT_8 : HOT.SHIFT;
  }
  if (narrow === cmov && i.size === 8 && i.rm !== MEMORY) return HOT.MOVE_IF;
  const single = SINGLE_FORMS.get(narrow);
  if (single !== undefined && i.rm !== MEMORY) {
    i.to = i.rm;
    return single + wider;
  }
  return registerForm(i, narrow, wider);
}

function registerForm(i: Instruction, narrow: Execute, wider: number): number | undefined {
  const form = REGISTER_FORMS.get(narrow);
  if (form === undefined) return undefined;
  const accumulator = form.shape === 'accumulator, imm';
  const hot = form.hot ?? HOT_OF_KIND.get(i.kind);
  if (hot === undefined || (!accumulator && i.rm === MEMORY)) return undefined;
  i.to = accumulator ? 0 : form.shape === 'reg, rm' ? i.reg : i.rm;
  if (form.shape === 'rm, reg') i.from = i.reg;
  else if (form.shape === 'reg, rm') i.from = i.rm;
  return hot + wider;
}

/**
 * Gives the last instruction of a block in a page its hot form: a near jump within the page, a near call or return.
 * `after` is the offset behind it in the page, `natural` the operand size of its code.
 */
export function markLast(i: Instruction, after: number, natural: number): void {
  const narrow = i.size === 8 ? (NARROW.get(i.execute) ?? i.execute) : i.execute;
  const to = after + i.imm;
  const inside = to >= 0 && to < PAGE_BYTES;
  if (i.size !== natural || after >= PAGE_BYTES) return;
  if (narrow === jcc && inside) i.hot = HOT.JUMP_IF;
  else if (narrow === jmp) i.hot = inside ? HOT.JUMP : HOT.JUMP_OUTSIDE;
  else if (narrow === call && natural >= 4) i.hot = natural === 8 ? HOT.CALL_8 : HOT.CALL_4;
  else if (narrow === ret && natural >= 4 && i.imm === 0) i.hot = natural === 8 ? HOT.RETURN_8 : HOT.RETURN_4;
  else return;
  i.from = after;
  i.to = inside ? to : HOT.OUTSIDE;
}
