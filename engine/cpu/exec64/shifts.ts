/** Shifts and rotates with operands of 64 bits: counts are cut to 6 bits. */
import { RCL, RCR, ROL, ROR, SAR, SHR } from '../exec/shifts.ts';
import { carry, carryBits, resultWord, setCarryOverflow } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { type Machine, RCX } from '../machine.ts';
import { highOf, lowOf, readRm8ForUpdate, unsigned64, updateRm8 } from '../wide-operands.ts';

export function shiftRmImm(m: Machine, i: Instruction): void {
  shift(m, i, i.imm & 63);
}

export function shiftRmOne(m: Machine, i: Instruction): void {
  shift(m, i, 1);
}

export function shiftRmCl(m: Machine, i: Instruction): void {
  shift(m, i, m.g8[8 * RCX]! & 63);
}

function setShiftFlags(m: Machine, low: number, high: number, cf: number, of: number): void {
  m.result = resultWord(low, high);
  m.carries = carryBits(cf, of);
}

/** Bit `n` of a pair of halves. */
const bitOf = (low: number, high: number, n: number): number =>
  n < 32 ? (low >>> n) & 1 : (high >>> (n - 32)) & 1;

function shift(m: Machine, i: Instruction, count: number): void {
  const low = readRm8ForUpdate(m, i);
  const high = m.high;
  if (count === 0) return;
  switch (i.kind) {
    case ROL:
    case ROR:
    case RCL:
    case RCR:
      rotate(m, i, unsigned64(low, high), count);
      return;
    case SHR:
    case SAR:
      shiftRight(m, i, low, high, count);
      return;
    default:
      shiftLeft(m, i, low, high, count);
  }
}

function shiftLeft(m: Machine, i: Instruction, low: number, high: number, count: number): void {
  const newHigh =
    count >= 32 ? low << (count - 32) : count === 0 ? high : (high << count) | (low >>> (32 - count));
  const newLow = count >= 32 ? 0 : low << count;
  const cf = bitOf(low, high, 64 - count);
  setShiftFlags(m, newLow, newHigh, cf, (newHigh >>> 31) ^ cf);
  updateRm8(m, i, newLow, newHigh);
}

function shiftRight(m: Machine, i: Instruction, low: number, high: number, count: number): void {
  const fill = i.kind === SAR ? high >> 31 : 0;
  const above = (by: number): number => (i.kind === SAR ? high >> by : high >>> by);
  const newLow = count >= 32 ? above(count - 32) | 0 : (low >>> count) | (high << (32 - count));
  const newHigh = count >= 32 ? fill : above(count) | 0;
  const cf = bitOf(low, high, count - 1);
  setShiftFlags(m, newLow, newHigh, cf, i.kind === SHR && count === 1 ? high >>> 31 : 0);
  updateRm8(m, i, newLow, newHigh);
}

/** The carry flag takes part in RCL and RCR as a 65th bit. */
function rotate(m: Machine, i: Instruction, value: bigint, count: number): void {
  const through = i.kind === RCL || i.kind === RCR;
  const bits = through ? 65n : 64n;
  const whole = through ? (BigInt(carry(m)) << 64n) | value : value;
  const steps = BigInt(count) % bits;
  const left = i.kind === ROL || i.kind === RCL ? steps : (bits - steps) % bits;
  const turned = BigInt.asUintN(Number(bits), (whole << left) | (whole >> (bits - left)));
  const result = BigInt.asUintN(64, turned);
  const top = Number(result >> 63n);
  const second = Number((result >> 62n) & 1n);
  const toLeft = i.kind === ROL || i.kind === RCL;
  const cf = through ? Number(turned >> 64n) : toLeft ? Number(result & 1n) : top;
  setCarryOverflow(m, cf, toLeft ? top ^ cf : top ^ second);
  updateRm8(m, i, lowOf(result), highOf(result));
}

export function shldImm(m: Machine, i: Instruction): void {
  double(m, i, i.imm & 63, true);
}

export function shldCl(m: Machine, i: Instruction): void {
  double(m, i, m.g8[8 * RCX]! & 63, true);
}

export function shrdImm(m: Machine, i: Instruction): void {
  double(m, i, i.imm & 63, false);
}

export function shrdCl(m: Machine, i: Instruction): void {
  double(m, i, m.g8[8 * RCX]! & 63, false);
}

function double(m: Machine, i: Instruction, count: number, toLeft: boolean): void {
  const low = readRm8ForUpdate(m, i);
  const high = m.high;
  if (count === 0) return;
  const value = unsigned64(low, high);
  const other = unsigned64(m.g32[i.reg]!, m.g32[i.reg + 1]!);
  const by = BigInt(count);
  const result = BigInt.asUintN(
    64,
    toLeft ? (value << by) | (other >> (64n - by)) : (value >> by) | (other << (64n - by)),
  );
  const cf = bitOf(low, high, toLeft ? 64 - count : count - 1);
  const newHigh = highOf(result);
  setShiftFlags(m, lowOf(result), newHigh, cf, (newHigh ^ high) >>> 31);
  updateRm8(m, i, lowOf(result), newHigh);
}
