/** ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC, NEG, NOT. */
import { carry, carryBits, setFlags } from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import {
  cut,
  readReg,
  readRegister,
  readRm,
  readRmForUpdate,
  updateRm,
  writeReg,
  writeRegister,
} from '../operands.ts';

/** The order of the opcode map and of the groups 80 to 83. */
export const ADD = 0;
export const OR = 1;
export const ADC = 2;
export const SBB = 3;
export const AND = 4;
export const SUB = 5;
export const XOR = 6;
export const CMP = 7;

/** `a` op `b`, and the flags of it. Operands and result as operands.ts has them. */
export function compute(m: Machine, kind: number, a: number, b: number, size: number): number {
  switch (kind) {
    case ADD:
      return add(m, a, b, 0, size);
    case OR:
      return logic(m, a | b, size);
    case ADC:
      return add(m, a, b, carry(m), size);
    case SBB:
      return subtract(m, a, b, carry(m), size);
    case AND:
      return logic(m, a & b, size);
    case XOR:
      return logic(m, a ^ b, size);
    default:
      return subtract(m, a, b, 0, size);
  }
}

/** The carry out of each bit: both operands had it, or one had it and the sum lost it. */
export function carriesOfSum(a: number, b: number, sum: number): number {
  return (a & b) | ((a | b) & ~sum);
}

/** The borrow out of each bit of a - b. */
export function borrowsOfDifference(a: number, b: number, difference: number): number {
  return (~a & b) | ((~a | b) & difference);
}

export function add(m: Machine, a: number, b: number, carryIn: number, size: number): number {
  const result = cut(a + b + carryIn, size);
  setFlags(m, result, carriesOfSum(a, b, result), size);
  return result;
}

export function subtract(m: Machine, a: number, b: number, borrowIn: number, size: number): number {
  const result = cut(a - b - borrowIn, size);
  setFlags(m, result, borrowsOfDifference(a, b, result), size);
  return result;
}

function logic(m: Machine, result: number, size: number): number {
  setFlags(m, result, 0, size);
  return result;
}

export function aluRmReg(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  updateRm(m, i, compute(m, i.kind, a, readReg(m, i), i.size));
}

export function aluRegRm(m: Machine, i: Instruction): void {
  writeReg(m, i, compute(m, i.kind, readReg(m, i), readRm(m, i), i.size));
}

export function aluRmImm(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  updateRm(m, i, compute(m, i.kind, a, i.imm, i.size));
}

/** The accumulator is register 0 of each size. */
export function aluAccImm(m: Machine, i: Instruction): void {
  writeRegister(m, 0, i.size, compute(m, i.kind, readRegister(m, 0, i.size), i.imm, i.size));
}

export function cmpRmReg(m: Machine, i: Instruction): void {
  subtract(m, readRm(m, i), readReg(m, i), 0, i.size);
}

export function cmpRegRm(m: Machine, i: Instruction): void {
  subtract(m, readReg(m, i), readRm(m, i), 0, i.size);
}

export function cmpRmImm(m: Machine, i: Instruction): void {
  subtract(m, readRm(m, i), i.imm, 0, i.size);
}

export function cmpAccImm(m: Machine, i: Instruction): void {
  subtract(m, readRegister(m, 0, i.size), i.imm, 0, i.size);
}

export function testRmReg(m: Machine, i: Instruction): void {
  logic(m, readRm(m, i) & readReg(m, i), i.size);
}

export function testRmImm(m: Machine, i: Instruction): void {
  logic(m, readRm(m, i) & i.imm, i.size);
}

export function testAccImm(m: Machine, i: Instruction): void {
  logic(m, readRegister(m, 0, i.size) & i.imm, i.size);
}

/** INC and DEC leave CF alone: the carry vector of the operation with the CF of the one before. */
export function keepingCarry(before: number, carries: number): number {
  return (carries & 8) | carryBits(before >>> 31, ((carries >>> 31) ^ (carries >>> 30)) & 1);
}

export function incRm(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  const before = m.carries;
  const result = add(m, a, 1, 0, i.size);
  m.carries = keepingCarry(before, m.carries);
  updateRm(m, i, result);
}

export function decRm(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  const before = m.carries;
  const result = subtract(m, a, 1, 0, i.size);
  m.carries = keepingCarry(before, m.carries);
  updateRm(m, i, result);
}

export function negRm(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  updateRm(m, i, subtract(m, 0, a, 0, i.size));
}

export function notRm(m: Machine, i: Instruction): void {
  updateRm(m, i, cut(~readRmForUpdate(m, i), i.size));
}

export function xadd(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  const sum = add(m, a, readReg(m, i), 0, i.size);
  // The register first: where both operands are the same register, it keeps the sum.
  writeReg(m, i, a);
  updateRm(m, i, sum);
}

export function cmpxchg(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  const source = readReg(m, i);
  const equal = subtract(m, readRegister(m, 0, i.size), a, 0, i.size) === 0;
  // A failing CMPXCHG writes the destination back (Intel SDM 2, CMPXCHG): seen of memory alone.
  if (equal || i.rm === MEMORY) updateRm(m, i, equal ? source : a);
  if (!equal) writeRegister(m, 0, i.size, a);
}
