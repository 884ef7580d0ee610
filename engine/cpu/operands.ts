/** Reading and writing the operands of an instruction. */
import { type Instruction, MEMORY, RIP_ADDRESS } from './instruction.ts';
import { CANONICAL_END, type Machine, RSP, SS } from './machine.ts';
import { load, loadForUpdate, store, storeUpdate } from './memory.ts';

const HIGH = 0x1_0000_0000;

/** Offset of the memory operand in its segment: unsigned, in 64-bit mode signed. */
export function effectiveAddress(m: Machine, i: Instruction): number {
  if (i.long !== 0) return longAddress(m, i);
  return ((m.g32[i.base]! + (m.g32[i.index]! << i.scale) + i.disp) & i.addressMask) >>> 0;
}

function longAddress(m: Machine, i: Instruction): number {
  if (i.long === RIP_ADDRESS) return m.pageIp + m.blockAt + i.offset + i.length + i.disp;
  const g = m.g32;
  const factor = 1 << i.scale;
  const address =
    (g[i.base + 1]! + g[i.index + 1]! * factor + i.dispHigh) * HIGH +
    (g[i.base]! >>> 0) +
    (g[i.index]! >>> 0) * factor +
    i.disp;
  if (address < CANONICAL_END && address >= -CANONICAL_END) return address;
  return Number(exactAddress(m, i));
}

/** `delta` bytes from an offset of the memory operand, as its address is cut. */
export function offsetFrom(i: Instruction, offset: number, delta: number): number {
  return i.long !== 0 ? offset + delta : ((offset + delta) & i.addressMask) >>> 0;
}

/** The sum as the processor cuts it, signed: for what is no plain address. */
export function exactAddress(m: Machine, i: Instruction): bigint {
  const disp = BigInt(i.dispHigh) * 0x1_0000_0000n + BigInt(i.disp);
  if (i.long === RIP_ADDRESS) return BigInt(m.pageIp + m.blockAt + i.offset + i.length) + disp;
  return BigInt.asIntN(64, m.g64[i.base >> 1]! + (m.g64[i.index >> 1]! << BigInt(i.scale)) + disp);
}

/** Index of register `r` in the view of its size: 8 and 4 g32, 2 g16, 1 g8 (4 to 7 are AH, CH, DH, BH, without REX). */
export function registerIndex(r: number, size: number, rex = false): number {
  if (size >= 4) return 2 * r;
  if (size === 2) return 4 * r;
  return r < 4 || rex ? 8 * r : 8 * (r - 4) + 1;
}

/** Signed for 4 bytes, else unsigned. */
export function readRegister(m: Machine, index: number, size: number): number {
  if (size === 4) return m.g32[index]!;
  return size === 1 ? m.g8[index]! : m.g16[index]!;
}

export function writeRegister(m: Machine, index: number, size: number, value: number): void {
  if (size === 4) {
    m.g32[index] = value;
    // A 32-bit write clears the upper half (Intel SDM 1, 3.4.1.1).
    m.g32[index + 1] = 0;
  } else if (size === 1) m.g8[index] = value;
  else m.g16[index] = value;
}

export function readReg(m: Machine, i: Instruction): number {
  return readRegister(m, i.reg, i.size);
}

export function writeReg(m: Machine, i: Instruction, value: number): void {
  writeRegister(m, i.reg, i.size, value);
}

export function readRm(m: Machine, i: Instruction): number {
  if (i.rm !== MEMORY) return readRegister(m, i.rm, i.size);
  return load(m, i.segment, effectiveAddress(m, i), i.size);
}

export function writeRm(m: Machine, i: Instruction, value: number): void {
  if (i.rm !== MEMORY) writeRegister(m, i.rm, i.size, value);
  else store(m, i.segment, effectiveAddress(m, i), i.size, value);
}

/** Reads an operand that `updateRm` writes. Nothing may change between the two but by instructions that cannot fault. */
export function readRmForUpdate(m: Machine, i: Instruction): number {
  if (i.rm !== MEMORY) return readRegister(m, i.rm, i.size);
  return loadForUpdate(m, i.segment, effectiveAddress(m, i), i.size);
}

export function updateRm(m: Machine, i: Instruction, value: number): void {
  if (i.rm !== MEMORY) writeRegister(m, i.rm, i.size, value);
  else storeUpdate(m, i.size, value);
}

/** A value of `size` bytes as signed. */
export function signed(value: number, size: number): number {
  const shift = 32 - size * 8;
  return (value << shift) >> shift;
}

/** A value cut to `size` bytes: signed for 4, else unsigned. */
export function cut(value: number, size: number): number {
  if (size === 4) return value | 0;
  return size === 1 ? value & 0xff : value & 0xffff;
}

/** The stack pointer, as an offset in SS. */
export function stackPointer(m: Machine): number {
  return stackOffset(m, 0);
}

/** Writes the stack pointer; its upper half stays with a 16-bit stack. */
export function setStackPointer(m: Machine, value: number): void {
  if (m.code64) {
    m.g32[2 * RSP] = value;
    m.g32[2 * RSP + 1] = Math.floor(value / HIGH);
  } else if (m.stackMask === -1) writeRegister(m, 2 * RSP, 4, value);
  else m.g16[4 * RSP] = value;
}

/** The offset `delta` bytes from the top of the stack. */
export function stackOffset(m: Machine, delta: number): number {
  if (m.code64) return m.g32[2 * RSP + 1]! * HIGH + (m.g32[2 * RSP]! >>> 0) + delta;
  return ((m.g32[2 * RSP]! + delta) & m.stackMask) >>> 0;
}

export function push(m: Machine, value: number, size: number): void {
  const at = stackOffset(m, -size);
  store(m, SS, at, size, value);
  setStackPointer(m, at);
}

/** The value `delta` bytes from the top of the stack. */
export function peek(m: Machine, delta: number, size: number): number {
  return load(m, SS, stackOffset(m, delta), size);
}
