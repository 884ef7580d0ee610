/** The square root, rounded as IEEE 754 wants it: Math.sqrt is exact everywhere, but no standard says so. */
import { wholeRoot } from '../whole-root.ts';

const number = new Float64Array(1);
const words = new Uint32Array(number.buffer);

/** 2 to the power of `exponent`, of a number that is not denormal. */
function power(exponent: number): number {
  words[0] = 0;
  words[1] = (exponent + 1023) << 20;
  return number[0]!;
}

/** Below 64 more bits than the root needs: rounding them away is rounding once. */
const SCALE = 2 * 64;

export function squareRoot(value: number): number {
  if (value < 0 || Number.isNaN(value)) return Number.NaN;
  if (value === 0 || value === Number.POSITIVE_INFINITY) return value;
  number[0] = value;
  const high = words[1]!;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(words[0]!);
  const biased = high >>> 20;
  const significand = biased === 0 ? fraction : fraction | (1n << 52n);
  let exponent = (biased === 0 ? 1 : biased) - 1075;
  const odd = exponent & 1;
  exponent -= odd;
  const scaled = significand << BigInt(SCALE + odd);
  const root = wholeRoot(scaled, 1n << BigInt((scaled.toString(2).length + 1) >> 1));
  // One more bit says that the root goes on.
  const sticky = root * root === scaled ? 0n : 1n;
  return Number((root << 1n) | sticky) * power(exponent / 2 - SCALE / 2 - 1);
}
