/** Numbers of 80 bits (Intel SDM 1, 4.2.2 and table 8-3), as whole numbers: the engine does no floating-point maths. */

/** As a register holds it: the sign, 15 bits of biased exponent, 64 bits of significand with its integer bit. */
export interface Extended {
  readonly sign: 0 | 1;
  readonly exponent: number;
  readonly significand: bigint;
}

export type Kind = 'zero' | 'normal' | 'denormal' | 'infinity' | 'quiet' | 'signaling' | 'unsupported';

export const SIGNIFICAND_BITS = 64;
export const INTEGER_BIT = 1n << 63n;
export const QUIET_BIT = 1n << 62n;
export const LARGEST_EXPONENT = 0x7fff;
export const BIAS = 0x3fff;
/** A number is its significand by 2 to the power of its exponent less this. */
export const SCALE = BIAS + SIGNIFICAND_BITS - 1;

/** The sign above the exponent, as the upper word of the 80 bits has them. */
export const upperWord = ({ sign, exponent }: Extended): number => (sign << 15) | exponent;

/** The number of the 80 bits in two parts. */
export const ofParts = (upper: number, significand: bigint): Extended => ({
  sign: (upper & 0x8000) === 0 ? 0 : 1,
  exponent: upper & 0x7fff,
  significand,
});

export const zero = (sign: 0 | 1): Extended => ({ sign, exponent: 0, significand: 0n });
export const infinity = (sign: 0 | 1): Extended => ({
  sign,
  exponent: LARGEST_EXPONENT,
  significand: INTEGER_BIT,
});
export const one: Extended = { sign: 0, exponent: BIAS, significand: INTEGER_BIT };
/** What a masked invalid operation gives (Intel SDM 1, 4.8.3.7). */
export const INDEFINITE: Extended = {
  sign: 1,
  exponent: LARGEST_EXPONENT,
  significand: INTEGER_BIT | QUIET_BIT,
};

export function kindOf({ exponent, significand }: Extended): Kind {
  if (exponent === 0) return significand === 0n ? 'zero' : 'denormal';
  if ((significand & INTEGER_BIT) === 0n) return 'unsupported';
  if (exponent !== LARGEST_EXPONENT) return 'normal';
  if (significand === INTEGER_BIT) return 'infinity';
  return (significand & QUIET_BIT) === 0n ? 'signaling' : 'quiet';
}

export const isNan = (value: Extended): boolean => {
  const kind = kindOf(value);
  return kind === 'quiet' || kind === 'signaling';
};

export const isZero = (value: Extended): boolean => kindOf(value) === 'zero';
export const isInfinite = (value: Extended): boolean => kindOf(value) === 'infinity';

export const quieted = (value: Extended): Extended => ({
  ...value,
  significand: value.significand | QUIET_BIT,
});

export const negated = (value: Extended): Extended => ({ ...value, sign: flipped(value.sign) });

export const flipped = (sign: 0 | 1): 0 | 1 => (sign === 0 ? 1 : 0);
export const both = (a: 0 | 1, b: 0 | 1): 0 | 1 => (a === b ? 0 : 1);

/** Bits of a whole number that is not negative. */
export function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28;
}

/** The power of two that the lowest bit of the significand stands for. */
export const scaleOf = ({ exponent }: Extended): number => (exponent === 0 ? 1 : exponent) - SCALE;

/** A finite number that is not zero with its leading bit at 63, and the power of its lowest bit. */
export function normalized(value: Extended): { readonly significand: bigint; readonly scale: number } {
  const shift = SIGNIFICAND_BITS - bitLength(value.significand);
  return { significand: value.significand << BigInt(shift), scale: scaleOf(value) - shift };
}

/** The exact number in units of 2 to the power of `scale`, which is not above its own. */
export function inUnits(value: Extended, scale: number): bigint {
  const magnitude = value.significand << BigInt(scaleOf(value) - scale);
  return value.sign === 1 ? -magnitude : magnitude;
}
