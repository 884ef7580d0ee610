/** Numbers as memory holds them: of single and double precision, whole ones, decimal ones. */
import { notNumbers } from './arithmetic.ts';
import {
  BIAS,
  bitLength,
  type Extended,
  isInfinite,
  isNan,
  isZero,
  kindOf,
  LARGEST_EXPONENT,
  SIGNIFICAND_BITS,
  scaleOf,
  zero,
} from './extended.ts';
import { type Calculation, DE, DOUBLE, type Format, IE, PE, rounded, SINGLE, toWhole } from './round.ts';

/** Single precision in 4 bytes, double in 8. */
interface Layout {
  readonly format: Format;
  readonly fractionBits: number;
  readonly exponentMask: number;
  readonly bits: number;
}

const LAYOUTS: Readonly<Record<4 | 8, Layout>> = {
  4: { format: SINGLE, fractionBits: 23, exponentMask: 0xff, bits: 32 },
  8: { format: DOUBLE, fractionBits: 52, exponentMask: 0x7ff, bits: 64 },
};

/** A number of memory, exactly; one that is denormal there (DE) is not in a register. */
export function widened(c: Calculation, value: bigint, bytes: 4 | 8): Extended {
  const { format, fractionBits, exponentMask, bits } = LAYOUTS[bytes];
  const sign = value >> BigInt(bits - 1) === 0n ? 0 : 1;
  const exponent = Number(value >> BigInt(fractionBits)) & exponentMask;
  const fraction = BigInt.asUintN(fractionBits, value);
  const hidden = 1n << BigInt(fractionBits);
  const aligned = (significand: bigint): bigint => significand << BigInt(SIGNIFICAND_BITS - format.bits);
  if (exponent === exponentMask)
    return { sign, exponent: LARGEST_EXPONENT, significand: aligned(hidden | fraction) };
  if (exponent !== 0)
    return { sign, exponent: exponent - 1 + format.least, significand: aligned(hidden | fraction) };
  if (fraction === 0n) return zero(sign);
  c.flags |= DE;
  const missing = format.bits - bitLength(fraction);
  return { sign, exponent: format.least - missing, significand: aligned(fraction << BigInt(missing)) };
}

/** What FST writes. */
export function narrowed(c: Calculation, value: Extended, bytes: 4 | 8): bigint {
  return packed(inFormat(c, value, LAYOUTS[bytes]), bytes);
}

/** A number that the format has, as memory has it. */
export function packed(result: Extended, bytes: 4 | 8): bigint {
  const layout = LAYOUTS[bytes];
  const sign = BigInt(result.sign) << BigInt(layout.bits - 1);
  const fraction = BigInt.asUintN(63, result.significand) >> BigInt(63 - layout.fractionBits);
  const at = BigInt(layout.fractionBits);
  if (result.exponent === LARGEST_EXPONENT) return sign | (BigInt(layout.exponentMask) << at) | fraction;
  const exponent = result.exponent - layout.format.least + 1;
  if (exponent > 0) return sign | (BigInt(exponent) << at) | fraction;
  return sign | (result.significand >> BigInt(63 - layout.fractionBits + 1 - exponent));
}

function inFormat(c: Calculation, value: Extended, { format }: Layout): Extended {
  const other = notNumbers(c, value);
  if (other !== undefined) return other;
  if (isInfinite(value) || isZero(value)) return value;
  return rounded(c, format, value.sign, value.significand, scaleOf(value));
}

/** What a masked invalid operation gives as a whole number of `bits` bits: the most negative one. */
const indefiniteWhole = (bits: number): bigint => 1n << BigInt(bits - 1);

/** What FIST writes: two's complement. */
export function whole(c: Calculation, value: Extended, bits: number): bigint {
  const magnitude = magnitudeOf(c, value);
  const limit = 1n << BigInt(bits - 1);
  const most = value.sign === 1 ? limit : limit - 1n;
  if (magnitude === undefined || magnitude > most) return refused(c, indefiniteWhole(bits));
  return BigInt.asUintN(bits, value.sign === 1 ? -magnitude : magnitude);
}

/** Eighteen digits, and the sign on top. */
const DECIMAL_END = 1_000_000_000_000_000_000n;
const DECIMAL_SIGN = 1n << 79n;
const INDEFINITE_DECIMAL = 0xffff_c000_0000_0000_0000n;

/** What FBSTP writes: 10 bytes. */
export function decimal(c: Calculation, value: Extended): bigint {
  const magnitude = magnitudeOf(c, value);
  if (magnitude === undefined || magnitude >= DECIMAL_END) return refused(c, INDEFINITE_DECIMAL);
  const digits = BigInt(`0x${magnitude.toString()}`);
  return value.sign === 1 ? digits | DECIMAL_SIGN : digits;
}

/** Rounded to a whole number; undefined for what is none. No whole number of 65 bits is looked for. */
function magnitudeOf(c: Calculation, value: Extended): bigint | undefined {
  const kind = kindOf(value);
  if (kind === 'zero') return 0n;
  if (isNan(value) || kind === 'infinity' || kind === 'unsupported' || value.exponent > BIAS + 64)
    return undefined;
  return toWhole(c, value.sign, value.significand, scaleOf(value));
}

/** Only the invalid operation is told, not what rounding met before it. */
function refused(c: Calculation, value: bigint): bigint {
  c.flags = (c.flags & ~PE) | IE;
  c.roundedUp = false;
  return value;
}

/** What FBLD reads: digits beyond 9 count as what they are. */
export function ofDecimal(value: bigint): { readonly sign: 0 | 1; readonly magnitude: bigint } {
  let magnitude = 0n;
  for (let digit = 17n; digit >= 0n; digit -= 1n)
    magnitude = magnitude * 10n + ((value >> (4n * digit)) & 15n);
  return { sign: (value & DECIMAL_SIGN) === 0n ? 0 : 1, magnitude };
}
