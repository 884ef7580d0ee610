/** Exact results become numbers of a format here, with the exceptions of doing so (Intel SDM 1, 4.8.4 and 8.5). */
import {
  BIAS,
  bitLength,
  type Extended,
  INTEGER_BIT,
  infinity,
  kindOf,
  LARGEST_EXPONENT,
  quieted,
  SIGNIFICAND_BITS,
  zero,
} from './extended.ts';

/** Exceptions, by their places in the status word; the control word masks them at the same ones. */
export const IE = 1;
export const DE = 2;
export const ZE = 4;
export const OE = 8;
export const UE = 0x10;
export const PE = 0x20;
export const ALL_EXCEPTIONS = 0x3f;
/** Unmasked, these leave everything as it was. */
export const BEFORE = IE | DE | ZE;

/** Rounding control: bits 10 and 11 of the control word. */
const NEAREST = 0;
export const DOWN = 1;
const UP = 2;

/** What is added to the exponent of a result that is too small for its format, or taken from one too large. */
const WRAP = 24576;

/** One operation: how it is to round, and which exceptions it met. */
export class Calculation {
  /** Masks and rounding as the control word of the x87 unit has them. */
  readonly control: number;
  /** Of what is computed; precision control says it where nothing else does. */
  readonly format: Format;
  /** A result too small for its format becomes 0 where that exception is masked: MXCSR.FZ. */
  readonly flushes: boolean;
  flags = 0;
  /** C1: the last rounding made the magnitude larger. */
  roundedUp = false;

  constructor(control: number, format = controlled(control), flushes = false) {
    this.control = control;
    this.format = format;
    this.flushes = flushes;
  }

  get rounding(): number {
    return (this.control >> 10) & 3;
  }

  /** Unmasked exceptions that were met, of these. */
  unmasked(of: number): boolean {
    return (this.flags & of & ~this.control) !== 0;
  }

  /** An exception before which a denormal operand is not told. */
  before(exception: number): void {
    this.flags = (this.flags & ~DE) | exception;
  }

  /** What becomes of a NaN that is converted: a signaling one is invalid, and quiet afterwards. */
  quieten(value: Extended): Extended {
    if (kindOf(value) !== 'signaling') return value;
    this.flags |= IE;
    return quieted(value);
  }

  /** Denormal operand: true where the operation ends there. */
  denormal(...operands: readonly Extended[]): boolean {
    if (operands.some((operand) => kindOf(operand) === 'denormal')) this.flags |= DE;
    return this.unmasked(DE);
  }
}

/** Rounds `value` by 2 to the power of `-shift`; `more`: the exact value is a bit larger. */
function shifted(c: Calculation, sign: 0 | 1, value: bigint, shift: number, more: boolean): Shifted {
  if (shift <= 0) return { value: value << BigInt(-shift), inexact: more, up: false };
  const whole = value >> BigInt(shift);
  const rest = value - (whole << BigInt(shift));
  const inexact = more || rest !== 0n;
  const half = 1n << BigInt(shift - 1);
  const away =
    c.rounding === NEAREST
      ? rest > half || (rest === half && (more || (whole & 1n) === 1n))
      : c.rounding === (sign === 1 ? DOWN : UP);
  const up = inexact && away;
  return { value: up ? whole + 1n : whole, inexact, up };
}

interface Shifted {
  readonly value: bigint;
  readonly inexact: boolean;
  readonly up: boolean;
}

/** A whole number for FRNDINT, FIST and FBSTP, with PE: `significand` by 2 to the power of `scale`. */
export function toWhole(c: Calculation, sign: 0 | 1, significand: bigint, scale: number): bigint {
  const { value, inexact, up } = shifted(c, sign, significand, -scale, false);
  if (inexact) c.flags |= PE;
  c.roundedUp = up;
  return value;
}

/** A binary format: bits of its significand, and the exponents that its numbers may have (biased as in 80 bits). */
export interface Format {
  readonly bits: number;
  readonly least: number;
  readonly greatest: number;
  /** Exponents wrap where OE or UE is unmasked; else nothing is stored. */
  readonly wraps: boolean;
  /** What is not stored then may be inexact all the same. */
  readonly tellsInexact: boolean;
}

const registerFormat = (bits: number): Format => ({
  bits,
  least: 1,
  greatest: LARGEST_EXPONENT - 1,
  wraps: true,
  tellsInexact: true,
});
const TO_SINGLE = registerFormat(24);
const TO_DOUBLE = registerFormat(53);
export const EXTENDED: Format = registerFormat(SIGNIFICAND_BITS);
const IN_MEMORY = { wraps: false, tellsInexact: false };
export const SINGLE: Format = { bits: 24, least: BIAS - 126, greatest: BIAS + 127, ...IN_MEMORY };
export const DOUBLE: Format = { bits: 53, least: BIAS - 1022, greatest: BIAS + 1023, ...IN_MEMORY };

/** The registers' format, with the precision of a control word: bits 8 and 9. */
function controlled(control: number): Format {
  const field = (control >> 8) & 3;
  return field === 0 ? TO_SINGLE : field === 2 ? TO_DOUBLE : EXTENDED;
}

/**
 * `significand` (not 0) by 2 to the power of `scale`, rounded. `more`: the exact value is larger by less than the lowest
 * bit, and the significand has more bits than the format.
 */
export function rounded(
  c: Calculation,
  format: Format,
  sign: 0 | 1,
  significand: bigint,
  scale: number,
  more = false,
): Extended {
  const { bits } = format;
  const excess = bitLength(significand) - bits;
  let { value, inexact, up } = shifted(c, sign, significand, excess, more);
  let exponent = scale + excess + bits - 1 + BIAS;
  if (bitLength(value) > bits) exponent += 1;
  if (exponent > format.greatest) {
    if (!maskedOr(c, OE)) return wrapped(c, format, { sign, exponent, value, inexact, up }, -WRAP);
    c.flags |= OE | PE;
    return tooLarge(c, format, sign);
  }
  if (exponent < format.least) {
    if (!maskedOr(c, UE)) return wrapped(c, format, { sign, exponent, value, inexact, up }, WRAP);
    if (c.flushes) {
      c.flags |= UE | PE;
      return zero(sign);
    }
    ({ value, inexact, up } = shifted(c, sign, significand, format.least - BIAS - (bits - 1) - scale, more));
    if (inexact) c.flags |= UE;
    exponent = format.least;
  }
  c.roundedUp = up;
  if (inexact) c.flags |= PE;
  return extendedOf(sign, value, exponent - BIAS - (bits - 1), bits);
}

const maskedOr = (c: Calculation, exception: number): boolean => (c.control & exception) !== 0;

/** The number `value`, of at most `bits` bits and perhaps one, by 2 to the power of `scale` or of one less. */
function extendedOf(sign: 0 | 1, value: bigint, scale: number, bits: number): Extended {
  if (value === 0n) return zero(sign);
  const length = bitLength(value);
  // A carry out of the leading bit has already been counted in the exponent.
  const power = length > bits ? scale - 1 : scale;
  const exponent = power + length - 1 + BIAS;
  if (exponent >= 1) return { sign, exponent, significand: value << BigInt(SIGNIFICAND_BITS - length) };
  return { sign, exponent: 0, significand: value << BigInt(power + BIAS - 1 + SIGNIFICAND_BITS - 1) };
}

interface Unbounded extends Shifted {
  readonly sign: 0 | 1;
  readonly exponent: number;
}

/**
 * An unmasked overflow or underflow: the exponent is moved back into range, unless it is even further out (FSCALE). What
 * goes to memory is not stored then.
 */
function wrapped(c: Calculation, format: Format, result: Unbounded, by: number): Extended {
  const { sign, value, inexact, up } = result;
  c.flags |= by < 0 ? OE : UE;
  const exponent = result.exponent + by;
  if (inexact && format.tellsInexact) c.flags |= PE;
  if (!format.wraps) return zero(sign);
  const isBeyond = exponent < 1 || exponent >= LARGEST_EXPONENT;
  c.roundedUp = isBeyond ? by < 0 : up;
  if (isBeyond) c.flags |= PE;
  if (isBeyond) return by < 0 ? infinity(sign) : zero(sign);
  return extendedOf(sign, value, exponent - BIAS - (format.bits - 1), format.bits);
}

/** A masked overflow: infinity, or the largest number where rounding goes towards zero (Intel SDM 1, table 4-10). */
function tooLarge(c: Calculation, format: Format, sign: 0 | 1): Extended {
  c.roundedUp = c.rounding === NEAREST || c.rounding === (sign === 1 ? DOWN : UP);
  if (c.roundedUp) return infinity(sign);
  const shift = BigInt(SIGNIFICAND_BITS - format.bits);
  const significand = (((INTEGER_BIT << 1n) - 1n) >> shift) << shift;
  return { sign, exponent: format.greatest, significand };
}
