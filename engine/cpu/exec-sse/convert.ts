/** Between integers, single and double precision. What does not fit an integer is invalid, and becomes the smallest one. */
import type { Execute, Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { readRm, writeRegister } from '../operands.ts';
import { highOf, lowOf, readRm8, unsigned64, writeRegister8 } from '../wide-operands.ts';
import { type Extended, scaleOf } from '../x87/extended.ts';
import { ofWhole } from '../x87/remainder.ts';
import { type Calculation, IE, PE, rounded } from '../x87/round.ts';
import { isSettled, raise, roundingOf } from './exceptions.ts';
import {
  asNumber,
  denormals,
  exact,
  isPlain,
  isSignaling,
  keep,
  numberOf,
  type Precision,
  putExact,
  putValue,
  putWord,
} from './lanes.ts';
import { ready, scalarSource, source } from './operands.ts';

const SMALLEST_32 = 0x80000000 | 0;
const SMALLEST_64 = 1n << 63n;
const TWO_31 = 0x80000000;
const TWO_63 = 0x8000_0000 * 0x1_0000_0000;
const TRUNCATES = 3;

/** To the nearest whole number, to the even one of two. */
function nearest(value: number): number {
  const below = Math.floor(value);
  const twice = 2 * (value - below);
  if (twice < 1 || (twice === 1 && below % 2 === 0)) return below;
  return below + 1;
}

/** By rounding control. */
export const ROUNDINGS: readonly ((value: number) => number)[] = [nearest, Math.floor, Math.ceil, Math.trunc];

/** The whole number of a lane; undefined where there is none of that size. */
function wholeOf(
  m: Machine,
  precision: Precision,
  lane: number,
  truncates: boolean,
  limit: number,
): { readonly whole: number | undefined; readonly flags: number } {
  const value = asNumber(m, precision, lane);
  const whole = ROUNDINGS[truncates ? TRUNCATES : roundingOf(m)]!(value);
  if (!(whole >= -limit && whole < limit)) return { whole: undefined, flags: IE };
  return { whole, flags: whole === value ? 0 : PE };
}

/** CVTSS2SI and its like: to a general register of 4 or 8 bytes. */
export function toGeneral(precision: Precision, truncates: boolean): Execute {
  return (m: Machine, i: Instruction): void => {
    const lane = (4 / precision) * scalarSource(m, i, 4 * precision);
    const { whole, flags } = wholeOf(m, precision, lane, truncates, i.size === 8 ? TWO_63 : TWO_31);
    raise(m, flags);
    if (i.size === 8) {
      const value = whole === undefined ? SMALLEST_64 : BigInt(whole);
      writeRegister8(m, 2 * i.reg, lowOf(value), highOf(value));
    } else writeRegister(m, 2 * i.reg, 4, whole ?? SMALLEST_32);
  };
}

/** A number that is neither 0 nor infinite, rounded. */
const asFormat = (c: Calculation, number: Extended): Extended =>
  rounded(c, c.format, number.sign, number.significand, scaleOf(number));

/** Whole numbers below are numbers of the precision. */
const EXACT = [0n, 1n << 24n, 1n << 53n] as const;

/** Puts a whole number; the flags. */
function putWhole(m: Machine, precision: Precision, n: number, value: bigint): number {
  if (value < EXACT[precision] && value > -EXACT[precision]) {
    putValue(precision, n, Number(value));
    return 0;
  }
  return putExact(m, precision, n, (c) => asFormat(c, ofWhole(value)));
}

/** CVTSI2SS and CVTSI2SD: from a general register or memory. */
export function fromGeneral(precision: Precision): Execute {
  return (m: Machine, i: Instruction): void => {
    ready(m);
    const low = i.size === 8 ? readRm8(m, i) : readRm(m, i);
    const value = i.size === 8 ? BigInt.asIntN(64, unsigned64(low, m.high)) : BigInt(low | 0);
    raise(m, putWhole(m, precision, 0, value));
    keep(m, i.reg, precision);
  };
}

/** A number that is none keeps its sign and as much of the rest as fits, and is quiet. */
function widen(m: Machine, n: number, lane: number): number {
  if (!Number.isNaN(numberOf(m, 1, lane))) {
    putValue(2, n, asNumber(m, 1, lane));
    return denormals(m, 1, lane, lane);
  }
  const bits = m.x32[lane]!;
  putWord(2 * n, (bits & 7) << 29);
  putWord(2 * n + 1, (bits & 0x80000000) | 0x7ff80000 | ((bits & 0x7fffff) >> 3));
  return isSignaling(m, 1, lane) ? IE : 0;
}

function shorten(m: Machine, n: number, lane: number): number {
  const value = asNumber(m, 2, lane);
  if (Number.isNaN(value)) {
    const [low, high] = [m.x32[2 * lane]!, m.x32[2 * lane + 1]!];
    putWord(n, (high & 0x80000000) | 0x7fc00000 | ((high & 0x7ffff) << 3) | (low >>> 29));
    return isSignaling(m, 2, lane) ? IE : 0;
  }
  if (value === 0 || !Number.isFinite(value) || (isSettled(m) && isPlain(1, value))) {
    putValue(1, n, value);
    return 0;
  }
  return putExact(m, 1, n, (c) => asFormat(c, exact(m, c, 2, lane)));
}

export function singleToDouble(m: Machine, i: Instruction): void {
  raise(m, widen(m, 0, 4 * scalarSource(m, i, 4)));
  keep(m, i.reg, 2);
}

export function doubleToSingle(m: Machine, i: Instruction): void {
  raise(m, shorten(m, 0, 2 * scalarSource(m, i, 8)));
  keep(m, i.reg, 1);
}

type PutLane = (m: Machine, n: number, lane: number) => number;

/** `count` lanes of a source of 8 or 16 bytes; what is above the results becomes 0. */
const lanes =
  (put: PutLane, count: number, per: number, bytes: 8 | 16): Execute =>
  (m, i) => {
    const from = per * (bytes === 16 ? source(m, i) : scalarSource(m, i, bytes));
    for (let n = 0; n < 4; n += 1) putWord(n, 0);
    let flags = 0;
    for (let n = 0; n < count; n += 1) flags |= put(m, n, from + n);
    raise(m, flags);
    keep(m, i.reg, 4);
  };

/** CVTPS2PD, of 8 bytes, and CVTPD2PS. */
export const singlesToDoubles = lanes(widen, 2, 4, 8);
export const doublesToSingles = lanes(shorten, 2, 2, 16);

/** A whole number of 32 bits as a lane. */
export const integerTo =
  (precision: Precision): PutLane =>
  (m, n, lane) =>
    putWhole(m, precision, n, BigInt(m.x32[lane]!));
/** CVTDQ2PS, and CVTDQ2PD of 8 bytes. */
export const integersToSingles = lanes(integerTo(1), 4, 4, 16);
export const integersToDoubles = lanes(integerTo(2), 2, 4, 8);

/** And the other way. */
export const toInteger =
  (precision: Precision, truncates: boolean): PutLane =>
  (m, n, lane) => {
    const { whole, flags } = wholeOf(m, precision, lane, truncates, TWO_31);
    putWord(n, whole ?? SMALLEST_32);
    return flags;
  };
export const singlesToIntegers = (truncates: boolean): Execute => lanes(toInteger(1, truncates), 4, 4, 16);
export const doublesToIntegers = (truncates: boolean): Execute => lanes(toInteger(2, truncates), 2, 2, 16);
