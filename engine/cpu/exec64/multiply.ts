/** MUL, IMUL, DIV, IDIV with operands of 64 bits. */
import { unsignedHigh } from '../exec/multiply.ts';
import { carryBits, resultWord } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { DE, type Machine, RAX, RDX } from '../machine.ts';
import { highOf, joined, lowOf, readRm8, unsigned64, writeRegister8 } from '../wide-operands.ts';

const signed64 = (low: number, high: number): bigint => BigInt.asIntN(64, unsigned64(low, high));

function setProductFlags(m: Machine, product: bigint, spills: boolean): void {
  m.result = resultWord(lowOf(product), highOf(product));
  m.carries = spills ? carryBits(1, 1) : 0;
}

function writePair(m: Machine, low: bigint, high: bigint): void {
  writeRegister8(m, 2 * RAX, lowOf(low), highOf(low));
  writeRegister8(m, 2 * RDX, lowOf(high), highOf(high));
}

export function mul(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const product = m.g64[RAX]! * unsigned64(low, m.high);
  writePair(m, product, product >> 64n);
  setProductFlags(m, product, product >> 64n !== 0n);
}

export function imulAcc(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const product = BigInt.asIntN(64, m.g64[RAX]!) * signed64(low, m.high);
  writePair(m, product, product >> 64n);
  setProductFlags(m, product, BigInt.asIntN(64, product) !== product);
}

/** Of a product of two rounded factors: below the first it has 63 bits and a sign, above the second it has more. */
const SURELY_FITS = 0x7fff_ffff_ffff_0000;
const SURELY_SPILLS = 0x8000_0000_0001_0000;

function spillsOver(aLow: number, aHigh: number, bLow: number, bHigh: number): boolean {
  const about = Math.abs(joined(aLow, aHigh) * joined(bLow, bHigh));
  if (about < SURELY_FITS) return false;
  if (about > SURELY_SPILLS) return true;
  const product = signed64(aLow, aHigh) * signed64(bLow, bHigh);
  return BigInt.asIntN(64, product) !== product;
}

function imulTo(m: Machine, i: Instruction, aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const low = Math.imul(aLow, bLow);
  const high = (unsignedHigh(aLow, bLow) + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
  writeRegister8(m, i.reg, low, high);
  m.result = resultWord(low, high);
  m.carries = spillsOver(aLow, aHigh, bLow, bHigh) ? carryBits(1, 1) : 0;
}

export function imulRegRm(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  imulTo(m, i, m.g32[i.reg]!, m.g32[i.reg + 1]!, low, m.high);
}

export function imulRegRmImm(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  imulTo(m, i, low, m.high, i.imm, i.imm >> 31);
}

export function div(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const divisor = unsigned64(low, m.high);
  if (divisor === 0n) m.fault(DE);
  const dividend = (m.g64[RDX]! << 64n) | m.g64[RAX]!;
  const quotient = dividend / divisor;
  if (quotient >> 64n !== 0n) m.fault(DE);
  writePair(m, quotient, dividend % divisor);
}

export function idiv(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const divisor = signed64(low, m.high);
  if (divisor === 0n) m.fault(DE);
  const dividend = (BigInt.asIntN(64, m.g64[RDX]!) << 64n) | m.g64[RAX]!;
  const quotient = dividend / divisor;
  if (BigInt.asIntN(64, quotient) !== quotient) m.fault(DE);
  writePair(m, quotient, dividend % divisor);
}
