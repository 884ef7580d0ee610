/** BT, BTS, BTR, BTC, BSF, BSR, POPCNT, LZCNT, and the decimal adjustments of AL. */
import {
  AF,
  CF,
  carry,
  PF,
  readFlags,
  SF,
  setArithmetic,
  setCarry,
  setFlags,
  setZero,
  ZF,
} from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { type Machine, RAX } from '../machine.ts';
import { load, loadForUpdate, storeUpdate } from '../memory.ts';
import {
  cut,
  effectiveAddress,
  offsetFrom,
  readReg,
  readRegister,
  readRm,
  signed,
  writeReg,
  writeRegister,
} from '../operands.ts';

/** The order of the group 0F BA, from its row 4 on. */
export const BT = 0;
export const BTS = 1;
export const BTR = 2;
export const BTC = 3;

function changed(kind: number, value: number, bit: number): number {
  if (kind === BTS) return value | (1 << bit);
  return kind === BTR ? value & ~(1 << bit) : value ^ (1 << bit);
}

export function bitRmImm(m: Machine, i: Instruction): void {
  bitOperation(m, i, i.imm & (i.size * 8 - 1), 0);
}

/** A register's bit offset reaches beyond the memory operand, in both directions (Intel SDM 2, BT). */
export function bitRmReg(m: Machine, i: Instruction): void {
  const offset = signed(readReg(m, i), i.size);
  const bits = i.size * 8;
  bitOperation(m, i, offset & (bits - 1), (offset >> (i.size === 4 ? 5 : 4)) * i.size);
}

function bitOperation(m: Machine, i: Instruction, bit: number, delta: number): void {
  if (i.rm !== MEMORY) {
    const value = readRegister(m, i.rm, i.size);
    setCarry(m, (value >>> bit) & 1);
    if (i.kind !== BT) writeRegister(m, i.rm, i.size, changed(i.kind, value, bit));
    return;
  }
  const offset = offsetFrom(i, effectiveAddress(m, i), delta);
  if (i.kind === BT) {
    setCarry(m, (load(m, i.segment, offset, i.size) >>> bit) & 1);
    return;
  }
  const value = loadForUpdate(m, i.segment, offset, i.size);
  storeUpdate(m, i.size, cut(changed(i.kind, value, bit), i.size));
  setCarry(m, (value >>> bit) & 1);
}

/** With a source of 0 the destination stays, as on all processors; the flags but ZF are undefined and stay. */
export function bsf(m: Machine, i: Instruction): void {
  const value = readRm(m, i);
  setZero(m, value === 0);
  if (value !== 0) writeReg(m, i, 31 - Math.clz32(value & -value));
}

export function bsr(m: Machine, i: Instruction): void {
  const value = readRm(m, i);
  setZero(m, value === 0);
  if (value !== 0) writeReg(m, i, 31 - Math.clz32(value));
}

const FIVES = 0x55555555;
const THREES = 0x33333333;
const NIBBLES = 0x0f0f0f0f;
const BYTES = 0x01010101;

/** Bits of 32 that are set. */
export function bitCount(value: number): number {
  const pairs = value - ((value >>> 1) & FIVES);
  const fours = (pairs & THREES) + ((pairs >>> 2) & THREES);
  return Math.imul((fours + (fours >>> 4)) & NIBBLES, BYTES) >>> 24;
}

/** ZF is that of the source; the other flags are 0. */
export function popcnt(m: Machine, i: Instruction): void {
  const value = readRm(m, i);
  writeReg(m, i, bitCount(value));
  setArithmetic(m, value === 0 ? ZF : 0);
}

/** LZCNT: CF for a source of 0, ZF for a result of 0; the other flags are undefined, and 0. */
export function lzcnt(m: Machine, i: Instruction): void {
  const value = readRm(m, i);
  const count = Math.clz32(value) - (32 - 8 * i.size);
  writeReg(m, i, count);
  setArithmetic(m, (value === 0 ? CF : 0) | (count === 0 ? ZF : 0));
}

export function daa(m: Machine): void {
  decimalAdjust(m, 1);
}

export function das(m: Machine): void {
  decimalAdjust(m, -1);
}

/** DAA and DAS (Intel SDM 2): the low digit, then the high one. OF is undefined and cleared. */
function decimalAdjust(m: Machine, sign: number): void {
  const before = m.g8[8 * RAX]!;
  const wasCarry = carry(m);
  let al = before;
  let cf = 0;
  let af = 0;
  if ((before & 15) > 9 || (readFlags(m) & AF) !== 0) {
    al += 6 * sign;
    cf = wasCarry | (al > 0xff || al < 0 ? 1 : 0);
    af = AF;
  }
  if (before > 0x99 || wasCarry !== 0) {
    al += 0x60 * sign;
    cf = 1;
  }
  m.g8[8 * RAX] = al;
  setFlags(m, al & 0xff, 0, 1);
  setArithmetic(m, (readFlags(m) & (ZF | SF | PF)) | af | (cf * CF));
}

export function aaa(m: Machine): void {
  asciiAdjust(m, 1);
}

export function aas(m: Machine): void {
  asciiAdjust(m, -1);
}

/** AAA and AAS (Intel SDM 2): OF, SF, ZF and PF are undefined and follow AL. */
function asciiAdjust(m: Machine, sign: number): void {
  const adjust = (m.g8[8 * RAX]! & 15) > 9 || (readFlags(m) & AF) !== 0;
  if (adjust) m.g16[4 * RAX] = m.g16[4 * RAX]! + 0x106 * sign;
  m.g8[8 * RAX] = m.g8[8 * RAX]! & 15;
  setFlags(m, m.g8[8 * RAX]!, 0, 1);
  if (adjust) setArithmetic(m, readFlags(m) | AF | CF);
}
