/** Sums, products, quotients, roots and comparisons (Intel SDM 1, 8.5.1.2 and 8.3.5). */
import { wholeRoot } from '../whole-root.ts';
import {
  both,
  type Extended,
  flipped,
  INDEFINITE,
  infinity,
  inUnits,
  isInfinite,
  isNan,
  isZero,
  kindOf,
  normalized,
  quieted,
  scaleOf,
  zero,
} from './extended.ts';
import { type Calculation, DOWN, IE, rounded, ZE } from './round.ts';

export type Binary = (c: Calculation, a: Extended, b: Extended) => Extended;
export type Unary = (c: Calculation, a: Extended) => Extended;

export function invalid(c: Calculation): Extended {
  c.before(IE);
  return INDEFINITE;
}

/** The NaN that becomes the result (Intel SDM 1, table 4-7): of two alike the one with the larger significand. */
function chosenNan(a: Extended, b: Extended): Extended {
  if (!isNan(b)) return a;
  if (!isNan(a)) return b;
  const [first, second] = [kindOf(a), kindOf(b)];
  if (first !== second) return first === 'quiet' ? a : b;
  const [x, y] = [quieted(a), quieted(b)];
  if (x.significand !== y.significand) return x.significand > y.significand ? a : b;
  return a.sign === 0 ? a : b;
}

/** What operands that are no numbers give; undefined where all are. */
export function notNumbers(c: Calculation, a: Extended, b: Extended = a): Extended | undefined {
  const kinds = [kindOf(a), kindOf(b)];
  if (kinds.includes('unsupported')) return invalid(c);
  if (kinds.includes('signaling')) c.before(IE);
  else if (!kinds.includes('quiet')) return undefined;
  c.before(0);
  return quieted(chosenNan(a, b));
}

/** The sum of two numbers. */
function sum(c: Calculation, a: Extended, b: Extended): Extended {
  if (isInfinite(a) || isInfinite(b)) {
    if (isInfinite(a) && isInfinite(b) && a.sign !== b.sign) return invalid(c);
    c.denormal(a, b);
    return isInfinite(a) ? a : b;
  }
  if (c.denormal(a, b)) return INDEFINITE;
  // Zeros of the same sign keep it.
  if (isZero(a) && isZero(b) && a.sign === b.sign) return a;
  const scale = Math.min(scaleOf(a), scaleOf(b));
  const total = inUnits(a, scale) + inUnits(b, scale);
  if (total === 0n) return zero(c.rounding === DOWN ? 1 : 0);
  return rounded(c, c.format, total < 0n ? 1 : 0, total < 0n ? -total : total, scale);
}

export const add: Binary = (c, a, b) => notNumbers(c, a, b) ?? sum(c, a, b);
export const subtract: Binary = (c, a, b) =>
  notNumbers(c, a, b) ?? sum(c, a, { ...b, sign: flipped(b.sign) });

export const multiply: Binary = (c, a, b) => {
  const other = notNumbers(c, a, b);
  if (other !== undefined) return other;
  const sign = both(a.sign, b.sign);
  if ((isInfinite(a) && isZero(b)) || (isZero(a) && isInfinite(b))) return invalid(c);
  if (c.denormal(a, b)) return INDEFINITE;
  if (isInfinite(a) || isInfinite(b)) return infinity(sign);
  if (isZero(a) || isZero(b)) return zero(sign);
  return rounded(c, c.format, sign, a.significand * b.significand, scaleOf(a) + scaleOf(b));
};

/** Two bits more than any format has, so that what is left of the division only says whether there is more. */
const QUOTIENT_SHIFT = 66;

export const divide: Binary = (c, a, b) => {
  const other = notNumbers(c, a, b);
  if (other !== undefined) return other;
  const sign = both(a.sign, b.sign);
  if ((isInfinite(a) && isInfinite(b)) || (isZero(a) && isZero(b))) return invalid(c);
  if (isZero(b) && !isInfinite(a)) {
    c.before(ZE);
    return infinity(sign);
  }
  if (c.denormal(a, b)) return INDEFINITE;
  if (isInfinite(a)) return infinity(sign);
  if (isZero(a) || isInfinite(b)) return zero(sign);
  const [x, y] = [normalized(a), normalized(b)];
  const dividend = x.significand << BigInt(QUOTIENT_SHIFT);
  const quotient = dividend / y.significand;
  const more = quotient * y.significand !== dividend;
  return rounded(c, c.format, sign, quotient, x.scale - y.scale - QUOTIENT_SHIFT, more);
};

/** Of a significand of 64 bits or 65, a root of 66 or 67. */
const ROOT_SHIFT = 68;

export const squareRoot: Unary = (c, a) => {
  const other = notNumbers(c, a);
  if (other !== undefined) return other;
  if (isZero(a)) return a;
  if (a.sign === 1) return invalid(c);
  if (isInfinite(a)) return a;
  if (c.denormal(a)) return INDEFINITE;
  const { significand, scale } = normalized(a);
  const odd = scale & 1;
  const scaled = significand << BigInt(ROOT_SHIFT + odd);
  const root = wholeRoot(scaled, 1n << 67n);
  return rounded(c, c.format, 0, root, (scale - odd - ROOT_SHIFT) / 2, root * root !== scaled);
};

/** -1, 0 or 1; undefined where they cannot be ordered. `quiet`: a quiet NaN is no exception. */
export function compare(c: Calculation, a: Extended, b: Extended, quiet: boolean): number | undefined {
  const kinds = [kindOf(a), kindOf(b)];
  if (kinds.includes('unsupported') || kinds.includes('signaling')) c.before(IE);
  else if (kinds.includes('quiet')) c.before(quiet ? 0 : IE);
  else {
    c.denormal(a, b);
    return order(a, b);
  }
  return undefined;
}

function order(a: Extended, b: Extended): number {
  if (isZero(a) && isZero(b)) return 0;
  if (a.sign !== b.sign) return a.sign === 1 ? -1 : 1;
  const larger = a.sign === 1 ? -1 : 1;
  // A significand without its integer bit has exponent 0, which counts as 1.
  const [x, y] = [scaleOf(a), scaleOf(b)];
  if (x !== y) return x > y ? larger : -larger;
  if (a.significand === b.significand) return 0;
  return a.significand > b.significand ? larger : -larger;
}
