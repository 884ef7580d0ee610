/** Arithmetic of single and double precision, lane by lane. */
import { CF, PF, setArithmetic, ZF } from '../flags.ts';
import type { Execute, Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { add, type Binary, divide, squareRoot as exactRoot, multiply, subtract } from '../x87/arithmetic.ts';
import { IE } from '../x87/round.ts';
import { isSettled, raise } from './exceptions.ts';
import {
  asNumber,
  denormals,
  exactly,
  isDenormal,
  isNone,
  isPlain,
  keep,
  notNumber,
  numberOf,
  type Precision,
  putBits,
  putLane,
  putValue,
  putWord,
  signals,
} from './lanes.ts';
import { ready, scalarSource, source } from './operands.ts';
import { squareRoot } from './square-root.ts';

/** Puts the result of two lanes into the results as their `n`th; the flags. */
export type Lane = (m: Machine, precision: Precision, n: number, a: number, b: number, imm: number) => number;

function arithmetic(fast: (a: number, b: number) => number, exact: Binary): Lane {
  return (m, precision, n, a, b) => {
    const [x, y] = [numberOf(m, precision, a), numberOf(m, precision, b)];
    if (isSettled(m) && isPlain(precision, x) && isPlain(precision, y)) {
      const result = fast(x, y);
      if (isPlain(precision, result)) {
        putValue(precision, n, result);
        return 0;
      }
    }
    if (Number.isNaN(x) || Number.isNaN(y)) return notNumber(m, precision, n, a, b);
    return exactly(m, precision, exact, n, a, b);
  };
}

export const sum = arithmetic((a, b) => a + b, add);
export const difference = arithmetic((a, b) => a - b, subtract);
export const product = arithmetic((a, b) => a * b, multiply);

const root: Lane = (m, precision, n, _, from) => {
  const value = numberOf(m, precision, from);
  if (isSettled(m) && value > 0 && isPlain(precision, value)) {
    putValue(precision, n, squareRoot(value));
    return 0;
  }
  if (Number.isNaN(value)) return notNumber(m, precision, n, from, from);
  return exactly(m, precision, exactRoot, n, from, from);
};

/** The second operand, unless the first is strictly beyond it; one that is no number is invalid. */
function choosing(keeps: (a: number, b: number) => boolean): Lane {
  return (m, precision, n, a, b) => {
    const [x, y] = [numberOf(m, precision, a), numberOf(m, precision, b)];
    if (Number.isNaN(y)) {
      // As it is: not quiet.
      for (let w = 0; w < precision; w += 1) putWord(precision * n + w, m.x32[precision * b + w]!);
      return IE;
    }
    if (Number.isNaN(x)) {
      putLane(m, precision, n, b);
      return IE;
    }
    const flags = denormals(m, precision, a, b);
    putLane(m, precision, n, keeps(asNumber(m, precision, a), asNumber(m, precision, b)) ? a : b);
    return flags;
  };
}

/** The predicates of CMPPS and its like, by their immediate. */
const predicates: readonly ((a: number, b: number) => boolean)[] = [
  (a, b) => a === b,
  (a, b) => a < b,
  (a, b) => a <= b,
  (a, b) => Number.isNaN(a) || Number.isNaN(b),
  (a, b) => a !== b,
  (a, b) => !(a < b),
  (a, b) => !(a <= b),
  (a, b) => !Number.isNaN(a) && !Number.isNaN(b),
];
/** Those of order are invalid also of a quiet NaN: 1, 2, 5, 6. */
const ORDERS = 0b01100110;

/** Flags of a comparison. */
function compared(m: Machine, precision: Precision, a: number, b: number, orders: boolean): number {
  if (!isNone(m, precision, a) && !isNone(m, precision, b)) return denormals(m, precision, a, b);
  return orders ? IE : signals(m, precision, a, b);
}

const compareLane: Lane = (m, precision, n, a, b, imm) => {
  const flags = compared(m, precision, a, b, ((ORDERS >> (imm & 7)) & 1) !== 0);
  const holds = predicates[imm & 7]!(asNumber(m, precision, a), asNumber(m, precision, b));
  putBits(precision, n, holds ? -1n : 0n);
  return flags;
};

export interface FloatForms {
  /** None and 66: all lanes; F3 and F2: the lowest. */
  readonly packedSingle: Execute;
  readonly packedDouble: Execute;
  readonly scalarSingle: Execute;
  readonly scalarDouble: Execute;
}

export function forms(lane: Lane): FloatForms {
  const all =
    (precision: Precision): Execute =>
    (m, i) => {
      const per = 4 / precision;
      const from = per * source(m, i);
      let flags = 0;
      for (let n = 0; n < per; n += 1) flags |= lane(m, precision, n, per * i.reg + n, from + n, i.imm);
      raise(m, flags);
      keep(m, i.reg, 4);
    };
  const lowest =
    (precision: Precision): Execute =>
    (m, i) => {
      const per = 4 / precision;
      const from = per * scalarSource(m, i, 4 * precision);
      raise(m, lane(m, precision, 0, per * i.reg, from, i.imm));
      keep(m, i.reg, precision);
    };
  return {
    packedSingle: all(1),
    packedDouble: all(2),
    scalarSingle: lowest(1),
    scalarDouble: lowest(2),
  };
}

/** By the opcode behind 0F. */
export const floats: Readonly<Record<number, FloatForms>> = {
  81: forms(root),
  88: forms(sum),
  89: forms(product),
  92: forms(difference),
  93: forms(choosing((a, b) => a < b)),
  94: forms(arithmetic((a, b) => a / b, divide)),
  95: forms(choosing((a, b) => a > b)),
};
export const compares = forms(compareLane);

/** RSQRT and RCP may be off by a part in 4096; these are not. They have no exceptions, and denormal numbers are 0 to them. */
const approximate = (operation: (value: number) => number): FloatForms =>
  forms((m, precision, n, _, from) => {
    const value = numberOf(m, precision, from);
    if (Number.isNaN(value)) {
      notNumber(m, precision, n, from, from);
      return 0;
    }
    const sign = value < 0 || Object.is(value, -0) ? -1 : 1;
    const result = operation(isDenormal(m, precision, from) ? sign * 0 : value);
    if (Number.isNaN(result)) putWord(n, INDEFINITE);
    else putValue(precision, n, isPlain(precision, result) || result - result !== 0 ? result : sign * 0);
    return 0;
  });
/** What an operation without a number as its result gives (Intel SDM 1, 4.8.3.7). */
const INDEFINITE = 0xffc00000 | 0;
export const reciprocalRoots = approximate((value) => 1 / squareRoot(value));
export const reciprocals = approximate((value) => 1 / value);

/** COMISS, UCOMISS and those of double precision; `kind` is the precision. `orders`: a quiet NaN is invalid too. */
export function compareScalar(orders: boolean): (m: Machine, i: Instruction) => void {
  return (m, i) => {
    ready(m);
    const precision = i.kind as Precision;
    const per = 4 / precision;
    const [a, b] = [per * i.reg, per * scalarSource(m, i, 4 * precision)];
    raise(m, compared(m, precision, a, b, orders));
    const [x, y] = [asNumber(m, precision, a), asNumber(m, precision, b)];
    const unordered = Number.isNaN(x) || Number.isNaN(y);
    setArithmetic(m, unordered ? ZF | PF | CF : x === y ? ZF : x < y ? CF : 0);
  };
}
