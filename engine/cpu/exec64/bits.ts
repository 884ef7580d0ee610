/** BT to BTC, BSF, BSR, POPCNT, LZCNT with operands of 64 bits. */
import { BT, BTR, BTS, bitCount } from '../exec/bits.ts';
import { CF, setArithmetic, setCarry, setZero, ZF } from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { loadForUpdate8, loadLinear8, readAddress, writeAddress } from '../memory.ts';
import { effectiveAddress, offsetFrom } from '../operands.ts';
import { joined, readRegister8, readRm8, updateRm8, writeRegister8 } from '../wide-operands.ts';

function changed(kind: number, half: number, mask: number): number {
  if (kind === BTS) return half | mask;
  return kind === BTR ? half & ~mask : half ^ mask;
}

/** The bit of an operand whose halves were read; what it becomes is stored, unless it is only tested. */
function bitOf(m: Machine, i: Instruction, low: number, bit: number): void {
  const high = m.high;
  const mask = 1 << (bit & 31);
  const half = bit < 32 ? low : high;
  if (i.kind !== BT) {
    const next = changed(i.kind, half, mask);
    updateRm8(m, i, bit < 32 ? next : low, bit < 32 ? high : next);
  }
  setCarry(m, (half & mask) === 0 ? 0 : 1);
}

function operand(m: Machine, i: Instruction, delta: number): number {
  if (i.rm !== MEMORY) return readRegister8(m, i.rm);
  const offset = offsetFrom(i, effectiveAddress(m, i), delta);
  if (i.kind === BT) return loadLinear8(m, readAddress(m, i.segment, offset, 8));
  return loadForUpdate8(m, writeAddress(m, i.segment, offset, 8));
}

export function bitRmImm(m: Machine, i: Instruction): void {
  bitOf(m, i, operand(m, i, 0), i.imm & 63);
}

/** The bit offset is signed and reaches beyond the operand. */
export function bitRmReg(m: Machine, i: Instruction): void {
  const bit = m.g32[i.reg]! & 63;
  const words = Math.floor(joined(m.g32[i.reg]!, m.g32[i.reg + 1]!) / 64);
  bitOf(m, i, operand(m, i, words * 8), bit);
}

export function bsf(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const high = m.high;
  setZero(m, (low | high) === 0);
  if (low !== 0) writeRegister8(m, i.reg, 31 - Math.clz32(low & -low), 0);
  else if (high !== 0) writeRegister8(m, i.reg, 63 - Math.clz32(high & -high), 0);
}

export function bsr(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const high = m.high;
  setZero(m, (low | high) === 0);
  if (high !== 0) writeRegister8(m, i.reg, 63 - Math.clz32(high), 0);
  else if (low !== 0) writeRegister8(m, i.reg, 31 - Math.clz32(low), 0);
}

export function popcnt(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const high = m.high;
  writeRegister8(m, i.reg, bitCount(low) + bitCount(high), 0);
  setArithmetic(m, (low | high) === 0 ? ZF : 0);
}

export function lzcnt(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const high = m.high;
  const count = high === 0 ? 32 + Math.clz32(low) : Math.clz32(high);
  writeRegister8(m, i.reg, count, 0);
  setArithmetic(m, ((low | high) === 0 ? CF : 0) | (count === 0 ? ZF : 0));
}
