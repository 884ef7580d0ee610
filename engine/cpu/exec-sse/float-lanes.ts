/** Arithmetic across the lanes of one register, and rounding to whole numbers (SSE3, SSE4.1). */
import type { Execute } from '../instruction.ts';
import { XMM_WORK } from '../machine.ts';
import { PE } from '../x87/round.ts';
import { ROUNDINGS } from './convert.ts';
import { raise, roundingOf } from './exceptions.ts';
import { difference, type FloatForms, forms, type Lane, product, sum } from './float.ts';
import { asNumber, isNone, keep, notNumber, type Precision, putBits, putValue } from './lanes.ts';
import { source } from './operands.ts';

/** A lane of the result by its number, from the places of the destination's lanes and of the source's. */
function across(
  precision: Precision,
  lane: (n: number, to: number, from: number) => [Lane, number, number],
): Execute {
  return (m, i) => {
    const per = 4 / precision;
    const [from, to] = [per * source(m, i), per * i.reg];
    let flags = 0;
    for (let n = 0; n < per; n += 1) {
      const [operation, a, b] = lane(n, to, from);
      flags |= operation(m, precision, n, a, b, 0);
    }
    raise(m, flags);
    keep(m, i.reg, 4);
  };
}

/** HADDPS and its like: neighbours of the destination, then those of the source. */
function neighbours(operation: Lane, precision: Precision): Execute {
  const half = 2 / precision;
  return across(precision, (n, to, from) => {
    const first = n < half ? to + 2 * n : from + 2 * (n - half);
    return [operation, first, first + 1];
  });
}

export const addNeighbours = (precision: Precision): Execute => neighbours(sum, precision);
export const subtractNeighbours = (precision: Precision): Execute => neighbours(difference, precision);
/** ADDSUBPS and ADDSUBPD. */
export const subtractAdd = (precision: Precision): Execute =>
  across(precision, (n, to, from) => [(n & 1) === 0 ? difference : sum, to + n, from + n]);

/**
 * Which lanes are added to each of the dot product's, one after the other. Only where several are no numbers does the order
 * tell: the Intel SDM leaves it open, this is that of Intel's processors.
 */
const SUMS: Readonly<Record<Precision, readonly ((n: number) => readonly [number, number])[]>> = {
  1: [(n) => [n ^ 1, n], (n) => [n, n ^ 2]],
  2: [(n) => [n, n ^ 1]],
};

/** DPPS and DPPD: the products that the immediate's upper half chooses, added; to the lanes that its lower half chooses. */
export function dotProduct(precision: Precision): Execute {
  const per = 4 / precision;
  const work = per * XMM_WORK;
  return (m, i) => {
    const [from, to] = [per * source(m, i), per * i.reg];
    let flags = 0;
    for (let n = 0; n < per; n += 1)
      if (((i.imm >> (4 + n)) & 1) !== 0) flags |= product(m, precision, n, to + n, from + n, 0);
      else putBits(precision, n, 0n);
    raise(m, flags);
    for (const pair of SUMS[precision]) {
      keep(m, XMM_WORK, 4);
      flags = 0;
      for (let n = 0; n < per; n += 1) {
        const [a, b] = pair(n);
        flags |= sum(m, precision, n, work + a, work + b, 0);
      }
      raise(m, flags);
    }
    for (let n = 0; n < per; n += 1) if (((i.imm >> n) & 1) === 0) putBits(precision, n, 0n);
    keep(m, i.reg, 4);
  };
}

/** Of the immediate: MXCSR rounds; inexact results are not told. */
const BY_MXCSR = 4;
const SILENT = 8;

const whole: Lane = (m, precision, n, _, from, imm) => {
  if (isNone(m, precision, from)) return notNumber(m, precision, n, from, from);
  const value = asNumber(m, precision, from);
  const rounded = ROUNDINGS[(imm & BY_MXCSR) !== 0 ? roundingOf(m) : imm & 3]!(value);
  const isNegative = value < 0 || Object.is(value, -0);
  putValue(precision, n, rounded === 0 && isNegative ? -0 : rounded);
  return rounded === value || (imm & SILENT) !== 0 ? 0 : PE;
};

/** ROUNDPS and its like. */
export const wholes: FloatForms = forms(whole);
