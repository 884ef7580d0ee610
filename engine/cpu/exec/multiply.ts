/** MUL, IMUL, DIV, IDIV and the decimal adjustments by a number, AAM and AAD. */
import { carryBits, setFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { DE, type Machine, RAX, RDX } from '../machine.ts';
import { readReg, readRm, signed, writeReg, writeRegister } from '../operands.ts';

/** The upper 32 bits of the unsigned product, by 16-bit parts: no step passes 2^53. */
export function unsignedHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((Math.imul(aLow, bLow) >>> 16) >>> 0);
  const other = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000)) | 0;
}

export function signedHigh(a: number, b: number): number {
  return (unsignedHigh(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

/** CF and OF say whether the upper half matters; the rest is undefined and follows the lower half, AF cleared. */
function setProductFlags(m: Machine, low: number, spills: boolean, size: number): void {
  m.result = signed(low, size);
  m.carries = spills ? carryBits(1, 1) : 0;
}

/** Writes a double-wide product to AX, DX:AX or EDX:EAX. */
function writeProduct(m: Machine, low: number, high: number, size: number): void {
  if (size === 1) {
    m.g16[4 * RAX] = low;
    return;
  }
  writeRegister(m, 0, size, low);
  writeRegister(m, size === 4 ? 2 * RDX : 4 * RDX, size, high);
}

export function mul(m: Machine, i: Instruction): void {
  const source = readRm(m, i);
  if (i.size === 4) {
    const a = m.g32[2 * RAX]!;
    const high = unsignedHigh(a, source);
    const low = Math.imul(a, source);
    writeProduct(m, low, high, 4);
    setProductFlags(m, low, high !== 0, 4);
    return;
  }
  const product = Math.imul(i.size === 1 ? m.g8[0]! : m.g16[0]!, source) >>> 0;
  const high = product >>> (i.size * 8);
  writeProduct(m, product, high, i.size);
  setProductFlags(m, product, high !== 0, i.size);
}

export function imulAcc(m: Machine, i: Instruction): void {
  const source = readRm(m, i);
  if (i.size === 4) {
    const a = m.g32[2 * RAX]!;
    const high = signedHigh(a, source);
    const low = Math.imul(a, source);
    writeProduct(m, low, high, 4);
    setProductFlags(m, low, high !== low >> 31, 4);
    return;
  }
  const product = Math.imul(signed(i.size === 1 ? m.g8[0]! : m.g16[0]!, i.size), signed(source, i.size));
  writeProduct(m, product, product >> 16, i.size);
  setProductFlags(m, product, signed(product, i.size) !== product, i.size);
}

/** IMUL with a destination register: the product is cut to the operand size. */
function imulTo(m: Machine, i: Instruction, a: number, b: number): void {
  const low = Math.imul(a, b);
  const spills = i.size === 4 ? signedHigh(a, b) !== low >> 31 : signed(low, i.size) !== low;
  writeReg(m, i, low);
  setProductFlags(m, low, spills, i.size);
}

export function imulRegRm(m: Machine, i: Instruction): void {
  imulTo(m, i, signed(readReg(m, i), i.size), signed(readRm(m, i), i.size));
}

export function imulRegRmImm(m: Machine, i: Instruction): void {
  imulTo(m, i, signed(readRm(m, i), i.size), signed(i.imm, i.size));
}

/** Writes quotient and remainder: AL and AH, AX and DX, EAX and EDX. */
function writeQuotient(m: Machine, quotient: number, remainder: number, size: number): void {
  if (size === 1) {
    m.g8[8 * RAX] = quotient;
    m.g8[8 * RAX + 1] = remainder;
    return;
  }
  writeProduct(m, quotient, remainder, size);
}

export function div(m: Machine, i: Instruction): void {
  const divisor = readRm(m, i) >>> 0;
  if (divisor === 0) m.fault(DE);
  if (i.size === 4 && m.g32[2 * RDX] !== 0) {
    wideDiv(m, divisor);
    return;
  }
  const dividend =
    (i.size === 1 ? m.g16[0]! : i.size === 2 ? (m.g16[4 * RDX]! << 16) | m.g16[0]! : m.g32[0]!) >>> 0;
  const quotient = Math.floor(dividend / divisor);
  if (i.size !== 4 && quotient >>> (i.size * 8) !== 0) m.fault(DE);
  writeQuotient(m, quotient, dividend % divisor, i.size);
}

function wideDiv(m: Machine, divisor: number): void {
  const dividend = (BigInt(m.g32[2 * RDX]! >>> 0) << 32n) | BigInt(m.g32[0]! >>> 0);
  const quotient = dividend / BigInt(divisor);
  if (quotient > 0xffffffffn) m.fault(DE);
  writeQuotient(m, Number(quotient), Number(dividend % BigInt(divisor)), 4);
}

export function idiv(m: Machine, i: Instruction): void {
  const divisor = signed(readRm(m, i), i.size);
  if (divisor === 0) m.fault(DE);
  if (i.size === 4) {
    wideIdiv(m, divisor);
    return;
  }
  const dividend = i.size === 1 ? signed(m.g16[0]!, 2) : (m.g16[4 * RDX]! << 16) | m.g16[0]!;
  const quotient = Math.trunc(dividend / divisor);
  if (signed(quotient, i.size) !== quotient) m.fault(DE);
  writeQuotient(m, quotient, dividend % divisor, i.size);
}

function wideIdiv(m: Machine, divisor: number): void {
  const high = m.g32[2 * RDX]!;
  const low = m.g32[0]!;
  const dividend = (BigInt(high) << 32n) | BigInt(low >>> 0);
  const quotient = dividend / BigInt(divisor);
  if (quotient !== BigInt.asIntN(32, quotient)) m.fault(DE);
  writeQuotient(m, Number(quotient), Number(dividend % BigInt(divisor)), 4);
}

export function aam(m: Machine, i: Instruction): void {
  const divisor = i.imm & 0xff;
  if (divisor === 0) m.fault(DE);
  const al = m.g8[0]!;
  m.g8[1] = Math.floor(al / divisor);
  m.g8[0] = al % divisor;
  setFlags(m, al % divisor, 0, 1);
}

export function aad(m: Machine, i: Instruction): void {
  const result = (m.g8[0]! + m.g8[1]! * (i.imm & 0xff)) & 0xff;
  m.g16[0] = result;
  setFlags(m, result, 0, 1);
}
