/** Remainders, scaling, and the parts of a number (Intel SDM 2: FPREM, FPREM1, FSCALE, FXTRACT, FRNDINT). */
import { type Binary, invalid, notNumbers, type Unary } from './arithmetic.ts';
import {
  BIAS,
  type Extended,
  INDEFINITE,
  infinity,
  isInfinite,
  isZero,
  normalized,
  scaleOf,
  zero,
} from './extended.ts';
import { ALL_EXCEPTIONS, Calculation, EXTENDED, rounded, toWhole, ZE } from './round.ts';

export interface Remainder {
  readonly value: Extended;
  /** The quotient; or only a part of the division was done, or there is none. */
  readonly quotient: bigint | 'partial' | 'none';
}

/** Distance of the exponents that one instruction still does. */
const WHOLE_REMAINDER = 64;

/** FPREM cuts the quotient, FPREM1 (`nearest`) rounds it. */
export function remainder(c: Calculation, a: Extended, b: Extended, nearest: boolean): Remainder {
  const other = notNumbers(c, a, b);
  if (other !== undefined) return { value: other, quotient: 'none' };
  if (isInfinite(a) || isZero(b)) return { value: invalid(c), quotient: 'none' };
  if (c.denormal(a, b)) return { value: INDEFINITE, quotient: 0n };
  if (isZero(a) || isInfinite(b)) return { value: again(c, a), quotient: 0n };
  const [x, y] = [normalized(a), normalized(b)];
  const distance = x.scale - y.scale;
  if (distance < -1) return { value: again(c, a), quotient: 0n };
  // What lies below the divisor's last bit is no part of the quotient.
  const scale = Math.min(x.scale, y.scale);
  const dividend = x.significand << BigInt(x.scale - scale);
  const divisor = y.significand << BigInt(y.scale - scale);
  if (distance >= WHOLE_REMAINDER) {
    // How much one instruction does of it is the processor's choice, between 32 and 63.
    const done = BigInt(distance - ((distance & 31) | 32));
    const rest = dividend % (divisor << done);
    return { value: signedResult(c, a.sign, rest, scale), quotient: 'partial' };
  }
  let quotient = dividend / divisor;
  let rest = dividend - quotient * divisor;
  if (nearest && (2n * rest > divisor || (2n * rest === divisor && (quotient & 1n) === 1n))) {
    quotient += 1n;
    rest -= divisor;
  }
  return { value: signedResult(c, a.sign, rest, scale), quotient };
}

function signedResult(c: Calculation, sign: 0 | 1, rest: bigint, scale: number): Extended {
  if (rest === 0n) return zero(sign);
  if (rest > 0n) return rounded(c, EXTENDED, sign, rest, scale);
  return rounded(c, EXTENDED, sign === 1 ? 0 : 1, -rest, scale);
}

/** The same number, as the result of an operation: a pseudo-denormal one gets its exponent. */
function again(c: Calculation, a: Extended): Extended {
  return isZero(a) ? a : rounded(c, EXTENDED, a.sign, a.significand, scaleOf(a));
}

/** Further than any two exponents are apart. */
const FARTHEST = 0x1_0000n;

export const scale: Binary = (c, a, b) => {
  const other = notNumbers(c, a, b);
  if (other !== undefined) return other;
  if (isInfinite(b)) {
    if (b.sign === 0 ? isZero(a) : isInfinite(a)) return invalid(c);
    if (c.denormal(a)) return INDEFINITE;
    return b.sign === 0 ? infinity(a.sign) : zero(a.sign);
  }
  if (c.denormal(a, b)) return INDEFINITE;
  if (isInfinite(a) || isZero(a)) return a;
  const magnitude = wholePart(b);
  const by = Number(magnitude > FARTHEST ? FARTHEST : magnitude);
  return rounded(c, EXTENDED, a.sign, a.significand, scaleOf(a) + (b.sign === 1 ? -by : by));
};

/** The magnitude of a finite number without its fraction. */
function wholePart(value: Extended): bigint {
  const at = scaleOf(value);
  if (at < 0) return value.significand >> BigInt(-at);
  return value.significand << BigInt(at);
}

/** The exponent as a number, and the significand with an exponent of 0. */
export function extract(c: Calculation, a: Extended): { exponent: Extended; significand: Extended } {
  const other = notNumbers(c, a);
  if (other !== undefined) return { exponent: other, significand: other };
  if (isInfinite(a)) return { exponent: infinity(0), significand: a };
  if (isZero(a)) {
    c.flags |= ZE;
    return { exponent: infinity(1), significand: a };
  }
  c.denormal(a);
  const { significand, scale: at } = normalized(a);
  return { exponent: ofWhole(BigInt(at + 63)), significand: { sign: a.sign, exponent: BIAS, significand } };
}

/** A whole number of at most 64 bits, exactly. */
export function ofWhole(value: bigint): Extended {
  if (value === 0n) return zero(0);
  // Rounds nothing: the control word does not matter.
  return rounded(
    new Calculation(ALL_EXCEPTIONS),
    EXTENDED,
    value < 0n ? 1 : 0,
    value < 0n ? -value : value,
    0,
  );
}

export const roundToWhole: Unary = (c, a) => {
  const other = notNumbers(c, a);
  if (other !== undefined) return other;
  if (isInfinite(a) || isZero(a) || scaleOf(a) >= 0) return a;
  if (c.denormal(a)) return INDEFINITE;
  const whole = toWhole(c, a.sign, a.significand, scaleOf(a));
  return whole === 0n ? zero(a.sign) : { ...ofWhole(whole), sign: a.sign };
};
