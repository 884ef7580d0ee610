/**
 * Transcendental functions (Intel SDM 2; SDM 1, 8.3.6 to 8.3.10), rounded once from many more bits than a register has. A processor's
 * own may differ in the last bit. Precision control does not matter to them.
 */
import { type Binary, invalid, notNumbers, type Unary } from './arithmetic.ts';
import {
  BIAS,
  both,
  type Extended,
  flipped,
  INDEFINITE,
  INTEGER_BIT,
  infinity,
  inUnits,
  isInfinite,
  isZero,
  kindOf,
  normalized,
  one,
  scaleOf,
  zero,
} from './extended.ts';
import { type Calculation, EXTENDED, PE, rounded, ZE } from './round.ts';
import {
  arcTangent,
  exponentialLessOne,
  LN2,
  LOG2_E,
  logarithmOfOneAnd,
  ONE,
  PI,
  quotient,
  sineAndCosine,
  UNIT,
} from './series.ts';

/** Where the next term of a series is beyond what a register has: x + x^2 is x and a bit. */
const TINY = 68;
/** From this power of two on an angle is not reduced any more. */
const LARGEST_ANGLE = BIAS + 63;
/** Half of pi as the processor has it for the reduction of angles: 66 bits of pi (Intel SDM 1, 8.3.8). */
const HALF_PI_BITS = 0xc90f_daa2_2168_c234_cn;
const HALF_PI = HALF_PI_BITS << BigInt(UNIT - 67);

const isTiny = (x: Extended): boolean => x.exponent < BIAS - TINY;
const fixed = (x: Extended): bigint => inUnits(x, -UNIT);

/** A value in units of the series, which is not quite what it should be. */
const ofFixed = (c: Calculation, value: bigint, sign: 0 | 1 = 0): Extended =>
  rounded(c, EXTENDED, value < 0n ? flipped(sign) : sign, value < 0n ? -value : value, -UNIT, true);

/** A product of significands, which the exact value is a bit larger, or smaller, than. */
function nearly(
  c: Calculation,
  sign: 0 | 1,
  significand: bigint,
  scale: number,
  isLarger: boolean,
): Extended {
  const EXTRA = 130;
  const value = (significand << BigInt(EXTRA)) - (isLarger ? 0n : 1n);
  return rounded(c, EXTENDED, sign, value, scale - EXTRA, true);
}

/** An angle that is too large to be reduced: the instruction says so, and does nothing. */
export const isBeyond = (x: Extended): boolean => x.exponent >= LARGEST_ANGLE && kindOf(x) === 'normal';

/** What the functions of an angle give. */
export interface Angle {
  readonly sine: Extended;
  readonly cosine: Extended;
  readonly tangent: Extended;
}
type Part = keyof Angle;

/** Sine, cosine or tangent of an angle that is not beyond. */
export function ofAngle(c: Calculation, part: Part, x: Extended): Extended {
  const other = notNumbers(c, x);
  if (other !== undefined) return other;
  if (isInfinite(x)) return invalid(c);
  if (isZero(x)) return part === 'cosine' ? one : x;
  if (c.denormal(x)) return INDEFINITE;
  if (isTiny(x)) {
    if (part === 'cosine') return nearly(c, 0, INTEGER_BIT, -63, false);
    return nearly(c, x.sign, x.significand, scaleOf(x), part === 'tangent');
  }
  const magnitude = fixed({ ...x, sign: 0 });
  const quarters = (2n * magnitude + HALF_PI) / (2n * HALF_PI);
  const { sine, cosine } = sineAndCosine(magnitude - quarters * HALF_PI);
  const turned = (quarters & 1n) === 0n ? [sine, cosine] : [cosine, -sine];
  const [s, k] = ((quarters & 2n) === 0n ? turned : turned.map((value) => -value)) as [bigint, bigint];
  if (part === 'cosine') return ofFixed(c, k);
  return ofFixed(c, part === 'sine' ? s : quotient(s, k), x.sign);
}

/** F2XM1: of what is beyond 1 nothing is said; it stays. */
export const powerLessOne: Unary = (c, x) => {
  const other = notNumbers(c, x);
  if (other !== undefined) return other;
  if (isInfinite(x)) return x.sign === 0 ? x : { ...one, sign: 1 };
  if (isZero(x)) return x;
  if (c.denormal(x)) return INDEFINITE;
  if (isTiny(x)) return nearly(c, x.sign, x.significand * LN2, scaleOf(x) - UNIT, x.sign === 0);
  const isOne = x.significand === INTEGER_BIT && x.exponent === BIAS;
  if (isOne) return x.sign === 0 ? one : { ...one, sign: 1, exponent: BIAS - 1 };
  if (x.exponent >= BIAS) return x;
  return ofFixed(c, exponentialLessOne((fixed(x) * LN2) >> BigInt(UNIT)));
};

/** `y` times a logarithm that is infinite, zero or a number of the sign given. */
function timesLimit(
  c: Calculation,
  y: Extended,
  sign: 0 | 1,
  limit: 'infinite' | 'zero' | 'finite',
): Extended {
  const result = both(y.sign, sign);
  if (limit === 'infinite') return isZero(y) ? invalid(c) : infinity(result);
  if (limit === 'zero') return isInfinite(y) ? invalid(c) : zero(result);
  return isInfinite(y) ? infinity(result) : zero(result);
}

const timesLogarithm = (c: Calculation, y: Extended, logarithm: bigint): Extended =>
  rounded(
    c,
    EXTENDED,
    logarithm < 0n ? flipped(y.sign) : y.sign,
    y.significand * (logarithm < 0n ? -logarithm : logarithm),
    scaleOf(y) - UNIT,
    true,
  );

/** FYL2X. */
export const timesBinaryLogarithm: Binary = (c, y, x) => {
  const other = notNumbers(c, y, x);
  if (other !== undefined) return other;
  if (isZero(x)) {
    if (isZero(y)) return invalid(c);
    if (!isInfinite(y)) c.before(ZE);
    return infinity(flipped(y.sign));
  }
  if (x.sign === 1) return invalid(c);
  if (isInfinite(x)) {
    if (isZero(y)) return invalid(c);
    c.denormal(y);
    return infinity(y.sign);
  }
  const { significand, scale } = normalized(x);
  const power = scale + 63;
  const isPower = significand === INTEGER_BIT;
  const isOne = isPower && power === 0;
  if (isOne && isInfinite(y)) return invalid(c);
  if (c.denormal(y, x)) return INDEFINITE;
  if (isOne) return zero(y.sign);
  const sign = power < 0 ? 1 : 0;
  if (isInfinite(y) || isZero(y)) return timesLimit(c, y, sign, 'finite');
  if (isPower) {
    // Also of what is exact the processor says that it is not.
    c.flags |= PE;
    return rounded(c, EXTENDED, both(y.sign, sign), y.significand * BigInt(Math.abs(power)), scaleOf(y));
  }
  // Between the roots of a half and of two: near 1 nothing is lost.
  const mantissa = significand << BigInt(UNIT - 63);
  const isUpper = significand * significand > INTEGER_BIT * INTEGER_BIT * 2n;
  const part = logarithmOfOneAnd((isUpper ? mantissa >> 1n : mantissa) - ONE);
  return timesLogarithm(c, y, (BigInt(power + (isUpper ? 1 : 0)) << BigInt(UNIT)) + part);
};

/** FYL2XP1: of what is beyond its range nothing is said. */
export const timesLogarithmOfOneAnd: Binary = (c, y, x) => {
  const other = notNumbers(c, y, x);
  if (other !== undefined) return other;
  if (isZero(x)) {
    if (isInfinite(y)) return invalid(c);
    c.denormal(y);
    return zero(both(y.sign, x.sign));
  }
  if (isInfinite(x)) return x.sign === 1 ? invalid(c) : timesLimit(c, y, 0, 'infinite');
  if (c.denormal(y, x)) return INDEFINITE;
  if (isInfinite(y) || isZero(y)) return timesLimit(c, y, x.sign, 'finite');
  if (isTiny(x)) {
    const product = y.significand * x.significand * LOG2_E;
    return nearly(c, both(y.sign, x.sign), product, scaleOf(y) + scaleOf(x) - UNIT, x.sign === 1);
  }
  if (x.exponent >= BIAS - 1) return x;
  return timesLogarithm(c, y, logarithmOfOneAnd(fixed(x)));
};

/** FPATAN: the angle of the point (x, y). */
export const angleOf: Binary = (c, y, x) => {
  const other = notNumbers(c, y, x);
  if (other !== undefined) return other;
  const left = x.sign === 1;
  if (isInfinite(y)) {
    c.denormal(x);
    if (!isInfinite(x)) return ofFixed(c, PI >> 1n, y.sign);
    return ofFixed(c, left ? (3n * PI) >> 2n : PI >> 2n, y.sign);
  }
  if (c.denormal(y, x)) return INDEFINITE;
  if (isZero(y) || isInfinite(x)) return left ? ofFixed(c, PI, y.sign) : zero(y.sign);
  if (isZero(x)) return ofFixed(c, PI >> 1n, y.sign);
  const [a, b] = [normalized(y), normalized(x)];
  // The exponent of |y / x|, or one more.
  const power = a.scale - b.scale;
  if (power < -TINY) {
    if (left) return ofFixed(c, PI - 1n, y.sign);
    const EXTRA = 256;
    const ratio = (a.significand << BigInt(EXTRA)) / b.significand;
    return rounded(c, EXTENDED, y.sign, ratio, power - EXTRA, true);
  }
  if (power > TINY) return ofFixed(c, (PI >> 1n) + (left ? 1n : -1n), y.sign);
  const ratio = (above: typeof a, below: typeof a): bigint =>
    (above.significand << BigInt(UNIT + above.scale - below.scale)) / below.significand;
  const isSteep = power > 0 || (power === 0 && a.significand > b.significand);
  const part = arcTangent(isSteep ? ratio(b, a) : ratio(a, b));
  const angle = isSteep ? (PI >> 1n) - part : part;
  return ofFixed(c, left ? PI - angle : angle, y.sign);
};
