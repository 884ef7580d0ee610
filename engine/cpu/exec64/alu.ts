/** ADD to NOT, XADD, CMPXCHG with operands of 64 bits. */
import { ADC, ADD, AND, borrowsOfDifference, carriesOfSum, keepingCarry, OR, SBB, XOR } from '../exec/alu.ts';
import { carry, setFlags8 } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { readRegister8, readRm8, readRm8ForUpdate, updateRm8, writeRegister8 } from '../wide-operands.ts';

/** a + b + carry: the low half, the high one in `Machine.high`; sets the flags. */
export function add8(m: Machine, aLow: number, aHigh: number, bLow: number, bHigh: number, cf = 0): number {
  const low = (aLow + bLow + cf) | 0;
  const lowCarries = carriesOfSum(aLow, bLow, low);
  const high = (aHigh + bHigh + (lowCarries >>> 31)) | 0;
  setFlags8(m, low, high, lowCarries, carriesOfSum(aHigh, bHigh, high));
  m.high = high;
  return low;
}

/** a - b - borrow, as `add8`. */
export function subtract8(
  m: Machine,
  aLow: number,
  aHigh: number,
  bLow: number,
  bHigh: number,
  cf = 0,
): number {
  const low = (aLow - bLow - cf) | 0;
  const lowBorrows = borrowsOfDifference(aLow, bLow, low);
  const high = (aHigh - bHigh - (lowBorrows >>> 31)) | 0;
  setFlags8(m, low, high, lowBorrows, borrowsOfDifference(aHigh, bHigh, high));
  m.high = high;
  return low;
}

function logic8(m: Machine, low: number, high: number): number {
  setFlags8(m, low, high, 0, 0);
  m.high = high;
  return low;
}

export function compute8(
  m: Machine,
  kind: number,
  aLow: number,
  aHigh: number,
  bLow: number,
  bHigh: number,
): number {
  switch (kind) {
    case ADD:
      return add8(m, aLow, aHigh, bLow, bHigh);
    case OR:
      return logic8(m, aLow | bLow, aHigh | bHigh);
    case ADC:
      return add8(m, aLow, aHigh, bLow, bHigh, carry(m));
    case SBB:
      return subtract8(m, aLow, aHigh, bLow, bHigh, carry(m));
    case AND:
      return logic8(m, aLow & bLow, aHigh & bHigh);
    case XOR:
      return logic8(m, aLow ^ bLow, aHigh ^ bHigh);
    default:
      return subtract8(m, aLow, aHigh, bLow, bHigh);
  }
}

export function aluRmReg(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const low = compute8(m, i.kind, a, m.high, m.g32[i.reg]!, m.g32[i.reg + 1]!);
  updateRm8(m, i, low, m.high);
}

export function aluRegRm(m: Machine, i: Instruction): void {
  const b = readRm8(m, i);
  const low = compute8(m, i.kind, m.g32[i.reg]!, m.g32[i.reg + 1]!, b, m.high);
  writeRegister8(m, i.reg, low, m.high);
}

/** The immediate has 32 bits and a sign. */
export function aluRmImm(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const low = compute8(m, i.kind, a, m.high, i.imm, i.imm >> 31);
  updateRm8(m, i, low, m.high);
}

export function aluAccImm(m: Machine, i: Instruction): void {
  const low = compute8(m, i.kind, m.g32[0]!, m.g32[1]!, i.imm, i.imm >> 31);
  writeRegister8(m, 0, low, m.high);
}

export function cmpRmReg(m: Machine, i: Instruction): void {
  const a = readRm8(m, i);
  subtract8(m, a, m.high, m.g32[i.reg]!, m.g32[i.reg + 1]!);
}

export function cmpRegRm(m: Machine, i: Instruction): void {
  const b = readRm8(m, i);
  subtract8(m, m.g32[i.reg]!, m.g32[i.reg + 1]!, b, m.high);
}

export function cmpRmImm(m: Machine, i: Instruction): void {
  const a = readRm8(m, i);
  subtract8(m, a, m.high, i.imm, i.imm >> 31);
}

export function cmpAccImm(m: Machine, i: Instruction): void {
  subtract8(m, m.g32[0]!, m.g32[1]!, i.imm, i.imm >> 31);
}

export function testRmReg(m: Machine, i: Instruction): void {
  const a = readRm8(m, i);
  logic8(m, a & m.g32[i.reg]!, m.high & m.g32[i.reg + 1]!);
}

export function testRmImm(m: Machine, i: Instruction): void {
  const a = readRm8(m, i);
  logic8(m, a & i.imm, m.high & (i.imm >> 31));
}

export function testAccImm(m: Machine, i: Instruction): void {
  logic8(m, m.g32[0]! & i.imm, m.g32[1]! & (i.imm >> 31));
}

export function incRm(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const before = m.carries;
  const low = add8(m, a, m.high, 1, 0);
  m.carries = keepingCarry(before, m.carries);
  updateRm8(m, i, low, m.high);
}

export function decRm(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const before = m.carries;
  const low = subtract8(m, a, m.high, 1, 0);
  m.carries = keepingCarry(before, m.carries);
  updateRm8(m, i, low, m.high);
}

export function negRm(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const low = subtract8(m, 0, 0, a, m.high);
  updateRm8(m, i, low, m.high);
}

export function notRm(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  updateRm8(m, i, ~a, ~m.high);
}

export function xadd(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const aHigh = m.high;
  const low = add8(m, a, aHigh, m.g32[i.reg]!, m.g32[i.reg + 1]!);
  const high = m.high;
  writeRegister8(m, i.reg, a, aHigh);
  updateRm8(m, i, low, high);
}

export function cmpxchg(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const aHigh = m.high;
  const source = readRegister8(m, i.reg);
  const sourceHigh = m.high;
  subtract8(m, m.g32[0]!, m.g32[1]!, a, aHigh);
  const equal = m.g32[0] === a && m.g32[1] === aHigh;
  updateRm8(m, i, equal ? source : a, equal ? sourceHigh : aHigh);
  if (!equal) writeRegister8(m, 0, a, aHigh);
}
