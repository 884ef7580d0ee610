/** Moves between registers, memory and immediates, and conversions. */
import { AF, CF, condition, OF, PF, readFlags, SF, setArithmetic, setZero, ZF } from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { type Machine, RAX, RBX, RCX, RDX } from '../machine.ts';
import {
  further,
  load,
  loadLinear,
  probeWrite,
  replace64,
  signed64,
  storeLinear,
  writeAddress,
} from '../memory.ts';
import {
  effectiveAddress,
  readReg,
  readRegister,
  readRm,
  readRmForUpdate,
  signed,
  updateRm,
  writeReg,
  writeRegister,
  writeRm,
} from '../operands.ts';

export function movRmReg(m: Machine, i: Instruction): void {
  writeRm(m, i, readReg(m, i));
}

export function movRegRm(m: Machine, i: Instruction): void {
  writeReg(m, i, readRm(m, i));
}

export function movRmImm(m: Machine, i: Instruction): void {
  writeRm(m, i, i.imm);
}

/** MOV of the accumulator from and to an absolute offset. */
export function movAccMemory(m: Machine, i: Instruction): void {
  writeRegister(m, 0, i.size, readRm(m, i));
}

export function movMemoryAcc(m: Machine, i: Instruction): void {
  writeRm(m, i, readRegister(m, 0, i.size));
}

export function lea(m: Machine, i: Instruction): void {
  writeReg(m, i, effectiveAddress(m, i));
}

export function xchgRmReg(m: Machine, i: Instruction): void {
  const a = readRmForUpdate(m, i);
  const b = readReg(m, i);
  writeReg(m, i, a);
  updateRm(m, i, b);
}

/** The source operand of MOVZX and MOVSX: `kind` bytes of a register's index in `imm`, or memory. */
export function narrowSource(m: Machine, i: Instruction): number {
  if (i.rm !== MEMORY) return readRegister(m, i.imm, i.kind);
  return load(m, i.segment, effectiveAddress(m, i), i.kind);
}

export function movzx(m: Machine, i: Instruction): void {
  writeReg(m, i, narrowSource(m, i));
}

export function movsx(m: Machine, i: Instruction): void {
  writeReg(m, i, signed(narrowSource(m, i), i.kind));
}

/** MOVSXD without an operand size of 64 bits is a plain MOV. */
export function movsxd(m: Machine, i: Instruction): void {
  writeReg(m, i, readRm(m, i));
}

/** The source is read, and may fault, whether or not the condition holds (Intel SDM 2, CMOVcc). */
export function cmov(m: Machine, i: Instruction): void {
  const value = readRm(m, i);
  if (condition(m, i.kind)) writeReg(m, i, value);
  // A destination of 32 bits loses its upper half either way.
  else if (i.size === 4) m.g32[i.reg + 1] = 0;
}

export function setcc(m: Machine, i: Instruction): void {
  writeRm(m, i, condition(m, i.kind) ? 1 : 0);
}

export function bswap(m: Machine, i: Instruction): void {
  if (i.size === 2) {
    // Undefined; processors clear it.
    m.g16[i.rm] = 0;
    return;
  }
  writeRegister(m, i.rm, 4, swapped(m.g32[i.rm]!));
}

/** The bytes of 32 bits in the other order. */
export const swapped = (value: number): number =>
  (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);

const swappedOf = (value: number, size: number): number =>
  size === 2 ? swapped(value) >>> 16 : swapped(value);

/** MOVBE. */
export function movbeLoad(m: Machine, i: Instruction): void {
  writeReg(m, i, swappedOf(readRm(m, i), i.size));
}

export function movbeStore(m: Machine, i: Instruction): void {
  writeRm(m, i, swappedOf(readReg(m, i), i.size));
}

/** CBW and CWDE. */
export function cbw(m: Machine, i: Instruction): void {
  writeRegister(m, 0, i.size, signed(readRegister(m, 0, i.size / 2), i.size / 2));
}

/** CWD and CDQ. */
export function cwd(m: Machine, i: Instruction): void {
  const index = i.size === 4 ? 2 * RDX : 4 * RDX;
  writeRegister(m, index, i.size, signed(readRegister(m, 0, i.size), i.size) < 0 ? -1 : 0);
}

export function xlat(m: Machine, i: Instruction): void {
  const offset = ((m.g32[2 * RBX]! + m.g8[8 * RAX]!) & i.addressMask) >>> 0;
  m.g8[8 * RAX] = load(m, i.segment, offset, 1);
}

export function lahf(m: Machine): void {
  m.g8[8 * RAX + 1] = readFlags(m);
}

const SAHF_FLAGS = SF | ZF | AF | PF | CF;

export function sahf(m: Machine): void {
  setArithmetic(m, (readFlags(m) & OF) | (m.g8[8 * RAX + 1]! & SAHF_FLAGS));
}

export function nop(): void {}

/** CMPXCHG8B: EDX:EAX against the 8 bytes at the operand; changes ZF only. */
export function cmpxchg8b(m: Machine, i: Instruction): void {
  const linear = writeAddress(m, i.segment, effectiveAddress(m, i), 8);
  const high = further(m, linear, 4);
  const low32 = loadLinear(m, linear, 4);
  const high32 = loadLinear(m, high, 4);
  probeWrite(m, linear, 8);
  const g = m.g32;
  const equal = low32 === g[2 * RAX] && high32 === g[2 * RDX];
  const newLow = equal ? g[2 * RBX]! : low32;
  const newHigh = equal ? g[2 * RCX]! : high32;
  if (!m.locked || !replace64(m, linear, signed64(low32, high32), signed64(newLow, newHigh))) {
    storeLinear(m, linear, 4, newLow);
    storeLinear(m, high, 4, newHigh);
  }
  if (!equal) {
    writeRegister(m, 2 * RAX, 4, low32);
    writeRegister(m, 2 * RDX, 4, high32);
  }
  setZero(m, equal);
}
