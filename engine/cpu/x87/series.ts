/**
 * Elementary functions in fixed point: a number is a whole number of units of 2 to the power of -UNIT. Results are right but for some of
 * the last of these bits, of which the smallest that is asked for leaves more than twice what a register has.
 */
import { wholeRoot } from '../whole-root.ts';

/** The smallest argument is about 2 to the power of -68: that leaves 190 bits. */
export const UNIT = 260;
const BITS = BigInt(UNIT);
export const ONE = 1n << BITS;

const times = (a: bigint, b: bigint): bigint => (a * b) >> BITS;
const over = (a: bigint, b: bigint): bigint => (a << BITS) / b;

/** x - x^3/3 + x^5/5 and so on, or without the signs: atan, or atanh. Of a small x. */
function oddPowers(x: bigint, alternates: boolean): bigint {
  const square = times(x, x);
  let sum = 0n;
  let power = x;
  for (let n = 1n; power !== 0n && power !== -1n; n += 2n) {
    const term = power / n;
    sum += alternates && (n & 2n) !== 0n ? -term : term;
    power = times(power, square);
  }
  return sum;
}

const ofInverse = (n: bigint, alternates: boolean): bigint => oddPowers(ONE / n, alternates);

/** Machin's formula. */
export const PI = 4n * (4n * ofInverse(5n, true) - ofInverse(239n, true));
/** ln 2 = 2 atanh 1/3. */
export const LN2 = 2n * ofInverse(3n, false);
/** 1 / ln 2. */
export const LOG2_E = over(ONE, LN2);

/** Sine and cosine of at most a quarter of PI, and a bit. */
export function sineAndCosine(x: bigint): { readonly sine: bigint; readonly cosine: bigint } {
  const square = times(x, x);
  const sum = (first: bigint, from: bigint): bigint => {
    let total = 0n;
    let term = first;
    for (let n = from; term !== 0n && term !== -1n; n += 2n) {
      total += term;
      term = -times(term, square) / (n * (n + 1n));
    }
    return total;
  };
  return { sine: sum(x, 2n), cosine: sum(ONE, 1n) };
}

export const quotient = over;

/** e to the power of x, less 1; of at most ln 2. */
export function exponentialLessOne(x: bigint): bigint {
  let total = 0n;
  let term = x;
  for (let n = 2n; term !== 0n && term !== -1n; n += 1n) {
    total += term;
    term = times(term, x) / n;
  }
  return total;
}

/** The logarithm to base 2 of 1 + x, which is between a half and two. */
export function logarithmOfOneAnd(x: bigint): bigint {
  return times(2n * oddPowers(over(x, 2n * ONE + x), false), LOG2_E);
}

/** The root of a number of at most 2, and a bit. */
const root = (x: bigint): bigint => wholeRoot(x << BITS, 2n * ONE);

/** The arc tangent of at most 1: halved twice, so that the series is short. */
export function arcTangent(x: bigint): bigint {
  let small = x;
  for (let n = 0; n < 2; n += 1) small = over(small, ONE + root(ONE + times(small, small)));
  return 4n * oddPowers(small, true);
}
