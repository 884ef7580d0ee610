/**
 * A BigInt of 64 bits and its two halves. Through memory that both share: conversions between BigInt and number
 * leave compiled code for the runtime, which costs more than most of what is done with the value.
 */
const WHOLE = new BigUint64Array(1);
/** The low half first: every machine that this runs on is little-endian. */
const HALVES = new Uint32Array(WHOLE.buffer);

/** The low 32 bits; of a negative value or one beyond 64 bits those of its low 64. */
export function lowHalf(value: bigint): number {
  WHOLE[0] = value;
  return HALVES[0] as number;
}

/** The 32 bits above them. */
export function highHalf(value: bigint): number {
  WHOLE[0] = value;
  return HALVES[1] as number;
}

/** The value of two halves, of which the low 32 bits count. */
export function wholeOf(low: number, high: number): bigint {
  HALVES[0] = low;
  HALVES[1] = high;
  return WHOLE[0] as bigint;
}
