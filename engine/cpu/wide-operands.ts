/** Operands of 64 bits, as two signed halves: a read gives the low one and leaves the high one in `Machine.high`. */
import { type Instruction, MEMORY } from './instruction.ts';
import type { Machine } from './machine.ts';
import {
  further,
  loadForUpdate8,
  loadLinear8,
  probeWrite,
  readAddress,
  storeLinear8,
  storeUpdate8,
  writeAddress,
} from './memory.ts';
import { effectiveAddress } from './operands.ts';

const HIGH = 0x1_0000_0000;

/** The halves of a whole number: its low one, and what is above it. */
export const lowHalf = (value: number): number => value | 0;
export const highHalf = (value: number): number => Math.floor(value / HIGH) | 0;
/** A number of its halves; exact as far as addresses go. */
export const joined = (low: number, high: number): number => high * HIGH + (low >>> 0);

/** `index` is that of the 32-bit view. */
export function readRegister8(m: Machine, index: number): number {
  m.high = m.g32[index + 1]!;
  return m.g32[index]!;
}

export function writeRegister8(m: Machine, index: number, low: number, high: number): void {
  m.g32[index] = low;
  m.g32[index + 1] = high;
}

export function load8(m: Machine, segment: number, offset: number): number {
  return loadLinear8(m, readAddress(m, segment, offset, 8));
}

export function store8(m: Machine, segment: number, offset: number, low: number, high: number): void {
  storeLinear8(m, writeAddress(m, segment, offset, 8), low, high);
}

export function readRm8(m: Machine, i: Instruction): number {
  if (i.rm !== MEMORY) return readRegister8(m, i.rm);
  return load8(m, i.segment, effectiveAddress(m, i));
}

export function writeRm8(m: Machine, i: Instruction, low: number, high: number): void {
  if (i.rm !== MEMORY) writeRegister8(m, i.rm, low, high);
  else store8(m, i.segment, effectiveAddress(m, i), low, high);
}

/** Reads an operand that `updateRm8` writes. */
export function readRm8ForUpdate(m: Machine, i: Instruction): number {
  if (i.rm !== MEMORY) return readRegister8(m, i.rm);
  return loadForUpdate8(m, writeAddress(m, i.segment, effectiveAddress(m, i), 8));
}

export function updateRm8(m: Machine, i: Instruction, low: number, high: number): void {
  if (i.rm !== MEMORY) writeRegister8(m, i.rm, low, high);
  else storeUpdate8(m, low, high);
}

/** The halves as one unsigned number, and the other way; for what is rare. */
export const unsigned64 = (low: number, high: number): bigint =>
  (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
export const lowOf = (value: bigint): number => Number(BigInt.asIntN(32, value));
export const highOf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

/** 16 bytes, two operands: nothing is written unless all can be. */
export function probeStore16(m: Machine, segment: number, offset: number): number {
  const linear = writeAddress(m, segment, offset, 16);
  probeWrite(m, linear, 8);
  probeWrite(m, further(m, linear, 8), 8);
  return linear;
}
