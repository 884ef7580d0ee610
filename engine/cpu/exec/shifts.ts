/** Shifts and rotates. Counts are cut to 5 bits; a count of 0 changes nothing, flags included. */
import { carry, carryBits, setCarryOverflow } from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { type Machine, RCX } from '../machine.ts';
import { cut, readReg, readRmForUpdate, signed, updateRm } from '../operands.ts';

/** The order of the groups C0, C1 and D0 to D3; 6 is a second SHL. */
export const ROL = 0;
export const ROR = 1;
export const RCL = 2;
export const RCR = 3;
export const SHR = 5;
export const SAR = 7;

export function shiftRmImm(m: Machine, i: Instruction): void {
  shift(m, i, i.imm & 31);
}

export function shiftRmOne(m: Machine, i: Instruction): void {
  shift(m, i, 1);
}

export function shiftRmCl(m: Machine, i: Instruction): void {
  shift(m, i, m.g8[8 * RCX]! & 31);
}

function shift(m: Machine, i: Instruction, count: number): void {
  const value = readRmForUpdate(m, i);
  if (count === 0) clearUpperHalf(m, i);
  else updateRm(m, i, shifted(m, i.kind, value, count, i.size));
}

/** A register of 32 bits loses its upper half also where nothing is shifted. */
function clearUpperHalf(m: Machine, i: Instruction): void {
  if (i.size === 4 && i.rm !== MEMORY) m.g32[i.rm + 1] = 0;
}

function shifted(m: Machine, kind: number, value: number, count: number, size: number): number {
  switch (kind) {
    case ROL:
    case ROR:
      return rotate(m, kind, value, count, size);
    case RCL:
    case RCR:
      return rotateThroughCarry(m, kind, value, count, size);
    case SHR:
      return shiftRight(m, value, count, size);
    case SAR:
      return shiftRightSigned(m, value, count, size);
    default:
      return shiftLeft(m, value, count, size);
  }
}

/** Flags of a shift; AF is undefined and cleared. */
function setShiftFlags(m: Machine, result: number, cf: number, of: number, size: number): void {
  m.result = signed(result, size);
  m.carries = carryBits(cf, of);
}

const topBit = (value: number, size: number): number => (value >>> (size * 8 - 1)) & 1;

function shiftLeft(m: Machine, value: number, count: number, size: number): number {
  const bits = size * 8;
  const cf = count <= bits ? (value >>> (bits - count)) & 1 : 0;
  const result = cut(value << count, size);
  setShiftFlags(m, result, cf, topBit(result, size) ^ cf, size);
  return result;
}

function shiftRight(m: Machine, value: number, count: number, size: number): number {
  const cf = (value >>> (count - 1)) & 1;
  const result = cut(value >>> count, size);
  // The sign before: for a count of 1 the top bit of the operand (Intel SDM 2, SHR).
  setShiftFlags(m, result, cf, count === 1 ? topBit(value, size) : 0, size);
  return result;
}

function shiftRightSigned(m: Machine, value: number, count: number, size: number): number {
  const wide = signed(value, size);
  const cf = (wide >> (count - 1)) & 1;
  const result = cut(wide >> count, size);
  setShiftFlags(m, result, cf, 0, size);
  return result;
}

function rotate(m: Machine, kind: number, value: number, count: number, size: number): number {
  const bits = size * 8;
  const left = kind === ROL ? count & (bits - 1) : (bits - count) & (bits - 1);
  const unsigned = value >>> 0;
  const result = left === 0 ? value : cut((unsigned << left) | (unsigned >>> (bits - left)), size);
  const top = topBit(result, size);
  if (kind === ROL) setCarryOverflow(m, result & 1, top ^ (result & 1));
  else setCarryOverflow(m, top, top ^ ((result >>> (bits - 2)) & 1));
  return result;
}

function rotateThroughCarry(m: Machine, kind: number, value: number, count: number, size: number): number {
  const bits = size * 8;
  // 8- and 16-bit operands rotate through 9 and 17 bits.
  let steps = size === 4 ? count : count % (bits + 1);
  let cf = carry(m);
  let result = value;
  for (; steps > 0; steps -= 1) {
    if (kind === RCL) {
      const out = topBit(result, size);
      result = cut((result << 1) | cf, size);
      cf = out;
    } else {
      const out = result & 1;
      result = cut((result >>> 1) | (cf << (bits - 1)), size);
      cf = out;
    }
  }
  const top = topBit(result, size);
  const of = kind === RCL ? top ^ cf : top ^ ((result >>> (bits - 2)) & 1);
  setCarryOverflow(m, cf, of);
  return result;
}

export function shldImm(m: Machine, i: Instruction): void {
  doubleLeft(m, i, i.imm & 31);
}

export function shldCl(m: Machine, i: Instruction): void {
  doubleLeft(m, i, m.g8[8 * RCX]! & 31);
}

export function shrdImm(m: Machine, i: Instruction): void {
  doubleRight(m, i, i.imm & 31);
}

export function shrdCl(m: Machine, i: Instruction): void {
  doubleRight(m, i, m.g8[8 * RCX]! & 31);
}

/** Counts above 16 of a 16-bit operand leave an undefined result: here the operands repeat, as on Intel processors. */
function doubleLeft(m: Machine, i: Instruction, count: number): void {
  const value = readRmForUpdate(m, i);
  if (count === 0) {
    clearUpperHalf(m, i);
    return;
  }
  const low = readReg(m, i);
  let result: number;
  let cf: number;
  if (i.size === 4) {
    result = (value << count) | (low >>> (32 - count));
    cf = (value >>> (32 - count)) & 1;
  } else {
    const wide = (value << 16) | low;
    result =
      count <= 16 ? (wide << count) >>> 16 : ((low << (count - 16)) | (value >>> (32 - count))) & 0xffff;
    cf = count <= 16 ? (value >>> (16 - count)) & 1 : (low >>> (32 - count)) & 1;
  }
  setShiftFlags(m, result, cf, topBit(result, i.size) ^ topBit(value, i.size), i.size);
  updateRm(m, i, result);
}

function doubleRight(m: Machine, i: Instruction, count: number): void {
  const value = readRmForUpdate(m, i);
  if (count === 0) {
    clearUpperHalf(m, i);
    return;
  }
  const high = readReg(m, i);
  let result: number;
  let cf: number;
  if (i.size === 4) {
    result = (value >>> count) | (high << (32 - count));
    cf = (value >>> (count - 1)) & 1;
  } else {
    const wide = (high << 16) | value;
    result =
      count <= 16 ? (wide >>> count) & 0xffff : ((high >>> (count - 16)) | (value << (32 - count))) & 0xffff;
    cf = (wide >>> (count - 1)) & 1;
  }
  setShiftFlags(m, result, cf, topBit(result, i.size) ^ topBit(value, i.size), i.size);
  updateRm(m, i, result);
}
