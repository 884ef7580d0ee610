/** Between integers, single and double precision. What does not fit an integer becomes the smallest one. */
import type { Execute, Instruction } from '../instruction.ts';
import { type Machine, XMM_SCRATCH } from '../machine.ts';
import { readRm, writeRegister } from '../operands.ts';
import { highOf, lowOf, readRm8, unsigned64, writeRegister8 } from '../wide-operands.ts';
import { needOrdinary, type Precision } from './float.ts';
import { ready, scalarSource, source } from './operands.ts';
import { bitsOfSingle, singleOf } from './single.ts';

const SMALLEST_32 = 0x80000000 | 0;
const SMALLEST_64 = 1n << 63n;
const TWO_31 = 0x80000000;
const TWO_63 = 0x8000_0000 * 0x1_0000_0000;

/** To the nearest whole number, to the even one of two. */
function nearest(value: number): number {
  const below = Math.floor(value);
  const twice = 2 * (value - below);
  if (twice < 1 || (twice === 1 && below % 2 === 0)) return below;
  return below + 1;
}

function toInt32(value: number, truncates: boolean): number {
  const whole = truncates ? Math.trunc(value) : nearest(value);
  return whole >= -TWO_31 && whole < TWO_31 ? whole : SMALLEST_32;
}

function toInt64(value: number, truncates: boolean): bigint {
  const whole = truncates ? Math.trunc(value) : nearest(value);
  return whole >= -TWO_63 && whole < TWO_63 ? BigInt.asUintN(64, BigInt(whole)) : SMALLEST_64;
}

/** CVTSS2SI and its like: to a general register of 4 or 8 bytes. */
export function toGeneral(precision: Precision, truncates: boolean): Execute {
  return (m: Machine, i: Instruction): void => {
    needOrdinary(m, i);
    const from = scalarSource(m, i, 4 * precision);
    const value = precision === 1 ? singleOf(m.x32[4 * from]!) : m.f64[2 * from]!;
    if (i.size === 8) {
      const whole = toInt64(value, truncates);
      writeRegister8(m, 2 * i.reg, lowOf(whole), highOf(whole));
    } else writeRegister(m, 2 * i.reg, 4, toInt32(value, truncates));
  };
}

/** A whole number in single precision: rounded once, not to double precision first. */
function single(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  if (magnitude < 1n << 53n) return Number(value);
  const rest = (magnitude & 0x7ffn) === 0n ? 0n : 1n;
  const shortened = Number((magnitude >> 11n) | rest) * 0x800;
  return value < 0n ? -shortened : shortened;
}

/** CVTSI2SS and CVTSI2SD: from a general register or memory. */
export function fromGeneral(precision: Precision): Execute {
  return (m: Machine, i: Instruction): void => {
    ready(m);
    needOrdinary(m, i);
    if (i.size === 8) {
      const low = readRm8(m, i);
      const value = BigInt.asIntN(64, unsigned64(low, m.high));
      if (precision === 1) m.x32[4 * i.reg] = bitsOfSingle(single(value));
      else m.f64[2 * i.reg] = Number(value);
      return;
    }
    const value = readRm(m, i);
    if (precision === 1) m.x32[4 * i.reg] = bitsOfSingle(value);
    else m.f64[2 * i.reg] = value;
  };
}

/** A number that is none keeps its sign and as much of the rest as fits, and is quiet. */
function widen(m: Machine, to: number, from: number): void {
  const value = singleOf(m.x32[from]!);
  if (!Number.isNaN(value)) {
    m.f64[to] = value;
    return;
  }
  const bits = m.x32[from]!;
  m.x32[2 * to] = (bits & 7) << 29;
  m.x32[2 * to + 1] = (bits & 0x80000000) | 0x7ff80000 | ((bits & 0x7fffff) >> 3);
}

function shorten(m: Machine, to: number, from: number): void {
  const value = m.f64[from]!;
  if (!Number.isNaN(value)) {
    m.x32[to] = bitsOfSingle(value);
    return;
  }
  const [low, high] = [m.x32[2 * from]!, m.x32[2 * from + 1]!];
  m.x32[to] = (high & 0x80000000) | 0x7fc00000 | ((high & 0x7ffff) << 3) | (low >>> 29);
}

export function singleToDouble(m: Machine, i: Instruction): void {
  needOrdinary(m, i);
  widen(m, 2 * i.reg, 4 * scalarSource(m, i, 4));
}

export function doubleToSingle(m: Machine, i: Instruction): void {
  needOrdinary(m, i);
  shorten(m, 4 * i.reg, 2 * scalarSource(m, i, 8));
}

/** The source where it cannot be overwritten on the way. */
function apart(m: Machine, from: number): number {
  if (from !== XMM_SCRATCH) m.x32.copyWithin(4 * XMM_SCRATCH, 4 * from, 4 * from + 4);
  return XMM_SCRATCH;
}

/** CVTPS2PD: of 8 bytes. */
export function singlesToDoubles(m: Machine, i: Instruction): void {
  needOrdinary(m, i);
  const from = apart(m, scalarSource(m, i, 8));
  for (let n = 0; n < 2; n += 1) widen(m, 2 * i.reg + n, 4 * from + n);
}

function clearUpper(m: Machine, register: number): void {
  m.x32[4 * register + 2] = 0;
  m.x32[4 * register + 3] = 0;
}

export function doublesToSingles(m: Machine, i: Instruction): void {
  needOrdinary(m, i);
  const from = apart(m, source(m, i));
  for (let n = 0; n < 2; n += 1) shorten(m, 4 * i.reg + n, 2 * from + n);
  clearUpper(m, i.reg);
}

/** CVTDQ2PS. */
export function integersToSingles(m: Machine, i: Instruction): void {
  needOrdinary(m, i);
  const from = source(m, i);
  for (let n = 0; n < 4; n += 1) m.x32[4 * i.reg + n] = bitsOfSingle(m.x32[4 * from + n]!);
}

/** CVTDQ2PD: of 8 bytes. */
export function integersToDoubles(m: Machine, i: Instruction): void {
  needOrdinary(m, i);
  const from = apart(m, scalarSource(m, i, 8));
  for (let n = 0; n < 2; n += 1) m.f64[2 * i.reg + n] = m.x32[4 * from + n]!;
}

export function singlesToIntegers(truncates: boolean): Execute {
  return (m: Machine, i: Instruction): void => {
    needOrdinary(m, i);
    const from = source(m, i);
    for (let n = 0; n < 4; n += 1) m.x32[4 * i.reg + n] = toInt32(singleOf(m.x32[4 * from + n]!), truncates);
  };
}

export function doublesToIntegers(truncates: boolean): Execute {
  return (m: Machine, i: Instruction): void => {
    needOrdinary(m, i);
    const from = apart(m, source(m, i));
    for (let n = 0; n < 2; n += 1) m.x32[4 * i.reg + n] = toInt32(m.f64[2 * from + n]!, truncates);
    clearUpper(m, i.reg);
  };
}
