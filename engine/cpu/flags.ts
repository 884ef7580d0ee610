/**
 * RFLAGS. The six arithmetic flags are kept lazily in two words, as Bochs does (instrument/lazy_flags):
 * `result` is the last result, sign-extended to 32 bits; `carries` holds what cannot be seen from it:
 *   bit 31       carry out of the top bit (CF)
 *   bit 30       carry into the top bit (OF = bit 31 ^ bit 30)
 *   bits 8..15   exclusive-or'ed with the result's low byte before its parity is taken
 *   bit 3        carry out of bit 3 (AF)
 *   bit 0        exclusive-or'ed with the sign of the result (SF)
 * All other bits stand in `Machine.flags`.
 */
import type { Machine } from './machine.ts';

export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const TF = 0x100;
export const IF = 0x200;
export const DF = 0x400;
export const OF = 0x800;
export const IOPL = 0x3000;
export const NT = 0x4000;
export const RF = 0x10000;
export const VM = 0x20000;
export const AC = 0x40000;
export const VIF = 0x80000;
export const VIP = 0x100000;

const ARITHMETIC_FLAGS = CF | PF | AF | ZF | SF | OF;
/** What EFLAGS has up to ID (bit 21), but for the bits that are always as they are (Intel SDM 1, figure 3-8). */
export const EVERY_FLAG = 0x3f7fd5;

/** CF, OF and AF of `carries`. */
export const CARRY_BITS = 0xc0000008 | 0;

/** Bit n of this constant: n has an odd number of one bits. */
const ODD_NIBBLES = 0x6996;

export function carry(m: Machine): number {
  return m.carries >>> 31;
}

export function isZero(m: Machine): boolean {
  return m.result === 0;
}

function isNegative(m: Machine): boolean {
  return ((m.result >>> 31) ^ (m.carries & 1)) !== 0;
}

export function overflow(m: Machine): number {
  const carries = m.carries;
  return ((carries >>> 31) ^ (carries >>> 30)) & 1;
}

function parity(m: Machine): boolean {
  const byte = (m.result ^ (m.carries >>> 8)) & 0xff;
  return ((ODD_NIBBLES >>> ((byte ^ (byte >>> 4)) & 15)) & 1) === 0;
}

/** Condition codes of Jcc, SETcc and CMOVcc: bits 1..3 choose, bit 0 negates. */
export function condition(m: Machine, code: number): boolean {
  return testCondition(m, code >>> 1) !== ((code & 1) !== 0);
}

function testCondition(m: Machine, code: number): boolean {
  switch (code) {
    case 0:
      return overflow(m) !== 0;
    case 1:
      return m.carries < 0;
    case 2:
      return m.result === 0;
    case 3:
      return m.carries < 0 || m.result === 0;
    case 4:
      return isNegative(m);
    case 5:
      return parity(m);
    case 6:
      return isNegative(m) !== (overflow(m) !== 0);
    default:
      return m.result === 0 || isNegative(m) !== (overflow(m) !== 0);
  }
}

/** The low 32 bits of RFLAGS. */
export function readFlags(m: Machine): number {
  return (
    m.flags |
    2 |
    carry(m) |
    (parity(m) ? PF : 0) |
    ((m.carries & 8) << 1) |
    (isZero(m) ? ZF : 0) |
    (isNegative(m) ? SF : 0) |
    (overflow(m) * OF)
  );
}

/** Sets the six arithmetic flags from their bits in `value`. */
export function setArithmetic(m: Machine, value: number): void {
  const zero = (value & ZF) !== 0;
  const result = zero ? 0 : 1;
  const negative = (value & SF) !== 0 ? 1 : 0;
  const wantOdd = (value & PF) === 0;
  // 0 has even parity, 1 odd; the delta turns it where another one is wanted.
  const delta = wantOdd === zero ? 1 : 0;
  m.result = result;
  m.carries =
    carryBits(value & CF, (value & OF) !== 0 ? 1 : 0) | ((value & AF) >> 1) | (delta << 8) | negative;
}

/** The two top bits of `carries` for CF and OF, each 0 or 1. */
export function carryBits(cf: number, of: number): number {
  return (cf << 31) | ((cf ^ of) << 30);
}

/** Changes CF and OF (0 or 1 each) and leaves the other flags. */
export function setCarryOverflow(m: Machine, cf: number, of: number): void {
  m.carries = (m.carries & 0x3fffffff) | carryBits(cf, of);
}

/** Changes CF (0 or 1) and leaves the other flags. */
export function setCarry(m: Machine, cf: number): void {
  setCarryOverflow(m, cf, overflow(m));
}

/** Changes ZF and leaves the other flags. */
export function setZero(m: Machine, zero: boolean): void {
  const flags = readFlags(m) & ~ZF;
  setArithmetic(m, zero ? flags | ZF : flags);
}

/** Sets flags from a result of `size` bytes (1, 2 or 4) and a carry vector as wide as it. */
export function setFlags(m: Machine, result: number, carries: number, size: number): void {
  if (size === 4) {
    m.result = result;
    m.carries = carries & CARRY_BITS;
  } else {
    const shift = 32 - size * 8;
    m.result = (result << shift) >> shift;
    m.carries = ((carries << shift) & 0xc0000000) | (carries & 8);
  }
}

/** The word that stands for a result of 64 bits: its sign, its lowest byte, and whether there is more. */
export function resultWord(low: number, high: number): number {
  const rest = (low >>> 8) | (high & 0x7fffffff);
  return (high & 0x80000000) | (low & 0xff) | (((rest | -rest) >>> 31) << 8);
}

/** Sets flags from a result of 8 bytes and the carries of its halves. */
export function setFlags8(
  m: Machine,
  low: number,
  high: number,
  lowCarries: number,
  highCarries: number,
): void {
  m.result = resultWord(low, high);
  m.carries = (highCarries & 0xc0000000) | (lowCarries & 8);
}

/** Replaces the bits of `mask` in RFLAGS by those of `value`. */
export function writeFlags(m: Machine, value: number, mask: number): void {
  const merged = (readFlags(m) & ~mask) | (value & mask);
  setArithmetic(m, merged);
  m.flags = merged & ~(ARITHMETIC_FLAGS | 2);
  if (m.usersPages.length !== 0 && (m.flags & AC) === 0) m.leaveUsersPages();
}
