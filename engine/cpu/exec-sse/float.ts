/** Arithmetic of single and double precision, lane by lane. */
import { CF, PF, setArithmetic, ZF } from '../flags.ts';
import type { Execute, Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { scalarSource, source } from './operands.ts';
import { bitsOfSingle, singleOf } from './single.ts';
import { squareRoot } from './square-root.ts';

/** Single precision in lanes of one word, double in lanes of two. */
export type Precision = 1 | 2;

function numberOf(m: Machine, precision: Precision, lane: number): number {
  return precision === 1 ? singleOf(m.x32[lane]!) : m.f64[lane]!;
}

/** Writes a number; it is one. */
function setValue(m: Machine, precision: Precision, lane: number, value: number): void {
  if (precision === 1) m.x32[lane] = bitsOfSingle(value);
  else m.f64[lane] = value;
}

/** All exceptions masked, to nearest, denormals as they are; the sticky flags below do not matter. */
const ORDINARY = 0x1f80;
const CONTROL = 0xffc0;

export function needOrdinary(m: Machine, i: Instruction): void {
  if ((m.mxcsr & CONTROL) !== ORDINARY)
    m.leave({ kind: 'unsupported', what: 'SSE arithmetic with this MXCSR', instructionLength: i.length });
}

/** What an operation without a number as its result gives (Intel SDM 1, 4.8.3.7). */
function setDefaultNan(m: Machine, precision: Precision, lane: number): void {
  if (precision === 1) m.x32[lane] = 0xffc00000 | 0;
  else {
    m.x32[2 * lane] = 0;
    m.x32[2 * lane + 1] = 0xfff80000 | 0;
  }
}

/** Copies a lane's bits; one that is no number becomes a quiet one. */
function copyQuiet(m: Machine, precision: Precision, to: number, from: number): void {
  if (precision === 1) m.x32[to] = m.x32[from]! | 0x400000;
  else {
    m.x32[2 * to] = m.x32[2 * from]!;
    m.x32[2 * to + 1] = m.x32[2 * from + 1]! | 0x80000;
  }
}

function copyBits(m: Machine, precision: Precision, to: number, from: number): void {
  for (let n = 0; n < precision; n += 1) m.x32[precision * to + n] = m.x32[precision * from + n]!;
}

type Lane = (m: Machine, precision: Precision, to: number, from: number) => void;

function arithmetic(operation: (a: number, b: number) => number): Lane {
  return (m, precision, to, from) => {
    const a = numberOf(m, precision, to);
    const b = numberOf(m, precision, from);
    if (Number.isNaN(a)) copyQuiet(m, precision, to, to);
    else if (Number.isNaN(b)) copyQuiet(m, precision, to, from);
    else {
      const result = operation(a, b);
      if (Number.isNaN(result)) setDefaultNan(m, precision, to);
      else setValue(m, precision, to, result);
    }
  };
}

/** The second operand, unless the first is strictly beyond it. */
function choosing(keeps: (a: number, b: number) => boolean): Lane {
  return (m, precision, to, from) => {
    if (!keeps(numberOf(m, precision, to), numberOf(m, precision, from))) copyBits(m, precision, to, from);
  };
}

function ofOne(operation: (value: number) => number): Lane {
  return (m, precision, to, from) => {
    const value = numberOf(m, precision, from);
    if (Number.isNaN(value)) copyQuiet(m, precision, to, from);
    else {
      const result = operation(value);
      if (Number.isNaN(result)) setDefaultNan(m, precision, to);
      else setValue(m, precision, to, result);
    }
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

function compareLane(m: Machine, precision: Precision, to: number, from: number, imm: number): void {
  const holds = predicates[imm & 7]!(numberOf(m, precision, to), numberOf(m, precision, from));
  const mask = holds ? -1 : 0;
  for (let n = 0; n < precision; n += 1) m.x32[precision * to + n] = mask;
}

export interface FloatForms {
  /** None and 66: all lanes; F3 and F2: the lowest. */
  readonly packedSingle: Execute;
  readonly packedDouble: Execute;
  readonly scalarSingle: Execute;
  readonly scalarDouble: Execute;
}

function forms(lane: (m: Machine, p: Precision, to: number, from: number, imm: number) => void): FloatForms {
  const all =
    (precision: Precision): Execute =>
    (m, i) => {
      needOrdinary(m, i);
      const per = 4 / precision;
      const from = per * source(m, i);
      for (let n = 0; n < per; n += 1) lane(m, precision, per * i.reg + n, from + n, i.imm);
    };
  const lowest =
    (precision: Precision): Execute =>
    (m, i) => {
      needOrdinary(m, i);
      const per = 4 / precision;
      lane(m, precision, per * i.reg, per * scalarSource(m, i, 4 * precision), i.imm);
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
  81: forms(ofOne(squareRoot)),
  88: forms(arithmetic((a, b) => a + b)),
  89: forms(arithmetic((a, b) => a * b)),
  92: forms(arithmetic((a, b) => a - b)),
  93: forms(choosing((a, b) => a < b)),
  94: forms(arithmetic((a, b) => a / b)),
  95: forms(choosing((a, b) => a > b)),
};
export const compares = forms(compareLane);
/** RSQRT and RCP may be off by a part in 4096; these are not. */
export const reciprocalRoots = forms(ofOne((value) => 1 / squareRoot(value)));
export const reciprocals = forms(ofOne((value) => 1 / value));

/** COMISS, UCOMISS and those of double precision; `kind` is the precision. */
export function compareScalar(m: Machine, i: Instruction): void {
  needOrdinary(m, i);
  const precision = i.kind as Precision;
  const per = 4 / precision;
  const b = numberOf(m, precision, per * scalarSource(m, i, 4 * precision));
  const a = numberOf(m, precision, per * i.reg);
  const unordered = Number.isNaN(a) || Number.isNaN(b);
  setArithmetic(m, unordered ? ZF | PF | CF : a === b ? ZF : a < b ? CF : 0);
}
