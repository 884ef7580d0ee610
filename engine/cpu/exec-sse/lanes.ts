/** Numbers in lanes: their bits, what is special about them, and exact arithmetic for all that the fast ways leave. */
import type { Machine } from '../machine.ts';
import type { Binary } from '../x87/arithmetic.ts';
import { packed, widened } from '../x87/convert.ts';
import { type Extended, zero } from '../x87/extended.ts';
import { Calculation, DE, DOUBLE, IE, SINGLE } from '../x87/round.ts';
import { controlWord, flushes, zeroesDenormals } from './exceptions.ts';
import { bitsOfSingle, singleOf } from './single.ts';

/** Single precision in lanes of one word, double in lanes of two. */
export type Precision = 1 | 2;

/** Results wait here until all lanes of an instruction have theirs, and no exception keeps them. */
const words = new Int32Array(4);
const quads = new BigUint64Array(words.buffer);
const numbers = new Float64Array(words.buffer);

/** Writes `count` words of the results to a register, from its first on. */
export function keep(m: Machine, register: number, count: number): void {
  for (let n = 0; n < count; n += 1) m.x32[4 * register + n] = words[n]!;
}

export function numberOf(m: Machine, precision: Precision, lane: number): number {
  return precision === 1 ? singleOf(m.x32[lane]!) : m.f64[lane]!;
}

/** The upper word of a lane has its sign and exponent, and says whether it is quiet. */
const upperOf = (m: Machine, precision: Precision, lane: number): number =>
  m.x32[precision * lane + precision - 1]!;
const INFINITE = [0, 0x7f800000, 0x7ff00000] as const;
const QUIET = [0, 0x400000, 0x80000] as const;

export const isSignaling = (m: Machine, precision: Precision, lane: number): boolean =>
  (upperOf(m, precision, lane) & QUIET[precision]) === 0;

export function isDenormal(m: Machine, precision: Precision, lane: number): boolean {
  return (upperOf(m, precision, lane) & INFINITE[precision]) === 0 && numberOf(m, precision, lane) !== 0;
}

/** As arithmetic sees it: a denormal one is 0 where MXCSR says so. */
export function asNumber(m: Machine, precision: Precision, lane: number): number {
  if (!zeroesDenormals(m) || !isDenormal(m, precision, lane)) return numberOf(m, precision, lane);
  return upperOf(m, precision, lane) < 0 ? -0 : 0;
}

/** The smallest and the largest number of a precision that is not denormal. */
const singleEnds = [0x00800000, 0x7f7fffff].map(singleOf);
const doubleEnds = new Float64Array(BigUint64Array.of(1n << 52n, 0x7fef_ffff_ffff_ffffn).buffer);
const SMALLEST = [0, singleEnds[0]!, doubleEnds[0]!] as const;
const LARGEST = [0, singleEnds[1]!, doubleEnds[1]!] as const;

/** Neither denormal nor beyond all numbers, where rounding may have to say more; nor at the border to it. */
export function isPlain(precision: Precision, value: number): boolean {
  const magnitude = value < 0 ? -value : value;
  return magnitude > SMALLEST[precision] && magnitude <= LARGEST[precision];
}

/** Puts a number into the results; it is one. */
export function putValue(precision: Precision, n: number, value: number): void {
  if (precision === 1) words[n] = bitsOfSingle(value);
  else numbers[n] = value;
}

export function putBits(precision: Precision, n: number, bits: bigint): void {
  if (precision === 1) words[n] = Number(BigInt.asIntN(32, bits));
  else quads[n] = bits;
}

export function putWord(n: number, word: number): void {
  words[n] = word;
}

const bitsOf = (m: Machine, precision: Precision, lane: number): bigint =>
  precision === 1 ? BigInt(m.x32[lane]! >>> 0) : m.x64[lane]!;

/** Puts a lane as it is; one that is no number becomes quiet, a denormal one 0 where MXCSR says so. */
export function putLane(m: Machine, precision: Precision, n: number, lane: number): void {
  const value = numberOf(m, precision, lane);
  const top = precision * n + precision - 1;
  if (precision === 2) words[2 * n] = m.x32[2 * lane]!;
  words[top] = upperOf(m, precision, lane);
  if (Number.isNaN(value)) words[top] = words[top]! | QUIET[precision];
  else if (zeroesDenormals(m) && isDenormal(m, precision, lane)) {
    if (precision === 2) words[2 * n] = 0;
    words[top] = words[top]! & 0x80000000;
  }
}

export const isNone = (m: Machine, precision: Precision, lane: number): boolean =>
  Number.isNaN(numberOf(m, precision, lane));

/** Flags of operands that may be no numbers: a signaling one is invalid. */
export function signals(m: Machine, precision: Precision, a: number, b: number): number {
  const one = isNone(m, precision, a) && isSignaling(m, precision, a);
  return one || (isNone(m, precision, b) && isSignaling(m, precision, b)) ? IE : 0;
}

/** What becomes of operands of which one is no number: the first such one, quiet; a signaling one is invalid. */
export function notNumber(m: Machine, precision: Precision, n: number, a: number, b: number): number {
  putLane(m, precision, n, isNone(m, precision, a) ? a : b);
  return signals(m, precision, a, b);
}

/** Flags of denormal operands. */
export const denormals = (m: Machine, precision: Precision, a: number, b: number): number =>
  !zeroesDenormals(m) && (isDenormal(m, precision, a) || isDenormal(m, precision, b)) ? DE : 0;

/** Other than what the x87 unit stores, a result that is kept is told to be inexact. */
const FORMATS = [SINGLE, SINGLE, DOUBLE].map((format) => ({ ...format, tellsInexact: true }));
const BYTES = [4, 4, 8] as const;

/** A lane as a number of 80 bits, with DE where it is denormal. */
export function exact(m: Machine, c: Calculation, precision: Precision, lane: number): Extended {
  const bits = bitsOf(m, precision, lane);
  if (zeroesDenormals(m) && isDenormal(m, precision, lane))
    return zero(upperOf(m, precision, lane) < 0 ? 1 : 0);
  return widened(c, bits, BYTES[precision]);
}

/** Puts what is computed by MXCSR as a number of a precision; the flags. */
export function putExact(
  m: Machine,
  precision: Precision,
  n: number,
  compute: (c: Calculation) => Extended,
): number {
  const c = new Calculation(controlWord(m), FORMATS[precision]!, flushes(m));
  putBits(precision, n, packed(compute(c), BYTES[precision]));
  return c.flags;
}

/** An operation of two numbers, rounded once; the flags. */
export function exactly(
  m: Machine,
  precision: Precision,
  operation: Binary,
  n: number,
  a: number,
  b: number,
): number {
  return putExact(m, precision, n, (c) => operation(c, exact(m, c, precision, a), exact(m, c, precision, b)));
}
