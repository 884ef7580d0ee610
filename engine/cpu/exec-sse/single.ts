/** Numbers of single precision as their bits: rounded here, to the nearest and to the even one of two, as IEEE 754 has it. */

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);

const INFINITY = 0x7f800000;
/** Exponents of the two precisions count from different numbers. */
const BIAS = 1023 - 127;
/** 2 to the power of 149: what the unit of a denormal number is one part of. */
const DENORMAL_PARTS = Number(1n << 149n);

/** The number that 32 bits stand for. */
export function singleOf(bits: number): number {
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  const negative = bits < 0;
  if (exponent === 0xff) {
    if (fraction !== 0) return Number.NaN;
    return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (exponent === 0) return (negative ? -fraction : fraction) / DENORMAL_PARTS;
  words[0] = fraction << 29;
  words[1] = (bits & 0x80000000) | ((exponent + BIAS) << 20) | (fraction >>> 3);
  return number[0]!;
}

/** The 32 bits of a number, rounded; it is one. */
export function bitsOfSingle(value: number): number {
  number[0] = value;
  const high = words[1]!;
  const low = words[0]!;
  const sign = high & 0x80000000;
  const exponent = ((high >>> 20) & 0x7ff) - BIAS;
  if (exponent >= 0xff) return sign | INFINITY;
  if (exponent <= 0) return sign | denormal(high, low, exponent);
  const fraction = ((high & 0xfffff) << 3) | (low >>> 29);
  const rest = low & 0x1fffffff;
  const up = rest > 0x10000000 || (rest === 0x10000000 && (fraction & 1) === 1) ? 1 : 0;
  // A carry goes on into the exponent, at the end to infinity.
  return sign | (((exponent << 23) | fraction) + up);
}

function denormal(high: number, low: number, exponent: number): number {
  if (exponent < -25) return 0;
  const whole = (1n << 52n) | (BigInt(high & 0xfffff) << 32n) | BigInt(low);
  const shift = BigInt(30 - exponent);
  const kept = whole >> shift;
  const rest = whole - (kept << shift);
  const half = 1n << (shift - 1n);
  return Number(rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept);
}
