/** Instructions that work on the register stack alone, or with a number that was read. */
import { CF, condition, PF, setArithmetic, ZF } from '../flags.ts';
import type { Machine } from '../machine.ts';
import {
  add,
  type Binary,
  compare,
  divide,
  multiply,
  squareRoot,
  subtract,
  type Unary,
} from './arithmetic.ts';
import { type Extended, flipped, INDEFINITE, kindOf, one, zero } from './extended.ts';
import { extract, remainder, roundToWhole, scale } from './remainder.ts';
import { type Calculation, EXTENDED, rounded } from './round.ts';
import {
  begin,
  C0,
  C1,
  C2,
  C3,
  finish,
  free,
  isEmpty,
  pop,
  push,
  readStack,
  stackFault,
  turn,
  writeStack,
} from './unit.ts';

const CODES = C0 | C1 | C2 | C3;
const UNORDERED = C3 | C2 | C0;

const reversed =
  (operation: Binary): Binary =>
  (c, a, b) =>
    operation(c, b, a);

/** By ModRM.reg of D8: 2 and 3 are comparisons. */
export const OPERATIONS: readonly (Binary | undefined)[] = [
  add,
  multiply,
  undefined,
  undefined,
  subtract,
  reversed(subtract),
  divide,
  reversed(divide),
];

/** Arithmetic with a number of memory, whose own exceptions are in `c`. */
export function withNumber(m: Machine, c: Calculation, operation: Binary, operand: Extended): void {
  if (isEmpty(m, 0)) {
    if (!stackFault(m, false)) writeStack(m, 0, INDEFINITE);
    return;
  }
  const result = operation(c, readStack(m, 0), operand);
  if (!finish(m, c)) writeStack(m, 0, result);
}

/** ST(to) becomes ST(to) operation ST(from). */
export function withRegister(m: Machine, operation: Binary, to: number, from: number, pops: boolean): void {
  if (isEmpty(m, to) || isEmpty(m, from)) {
    if (stackFault(m, false)) return;
    writeStack(m, to, INDEFINITE);
  } else {
    const c = begin(m);
    const result = operation(c, readStack(m, to), readStack(m, from));
    if (finish(m, c)) return;
    writeStack(m, to, result);
  }
  if (pops) pop(m);
}

/** What a comparison gives: C3, C2 and C0, or ZF, PF and CF. */
function codesOf(result: number | undefined): number {
  if (result === undefined) return UNORDERED;
  return result > 0 ? 0 : result < 0 ? C0 : C3;
}

function setCodes(m: Machine, codes: number): void {
  m.fpStatus = (m.fpStatus & ~(C0 | C2 | C3)) | codes;
}

/** Compares ST(0) with a number of memory; false where an exception keeps the stack as it was. */
export function compareNumber(m: Machine, c: Calculation, operand: Extended): boolean {
  if (isEmpty(m, 0)) {
    setCodes(m, UNORDERED);
    return !stackFault(m, false);
  }
  setCodes(m, codesOf(compare(c, readStack(m, 0), operand, false)));
  return !finish(m, c);
}

/** Compares ST(0) with ST(i). `ends`: an exception keeps it from anything else. */
function compareStack(
  m: Machine,
  i: number,
  quiet: boolean,
): { readonly codes: number; readonly ends: boolean } {
  if (isEmpty(m, 0) || isEmpty(m, i)) return { codes: UNORDERED, ends: stackFault(m, false) };
  const c = begin(m);
  const codes = codesOf(compare(c, readStack(m, 0), readStack(m, i), quiet));
  return { codes, ends: finish(m, c) };
}

export function compareRegister(m: Machine, i: number, quiet: boolean, pops: number): void {
  const { codes, ends } = compareStack(m, i, quiet);
  // An exception that is not masked only keeps the stack as it was.
  setCodes(m, codes);
  if (ends) return;
  for (let n = 0; n < pops; n += 1) pop(m);
}

/** FCOMI and its kin tell the processor's own flags. */
export function compareFlags(m: Machine, i: number, quiet: boolean, pops: boolean): void {
  const c1 = isEmpty(m, 0) || isEmpty(m, i) ? 0 : m.fpStatus & C1;
  const { codes, ends } = compareStack(m, i, quiet);
  // Other than the comparisons above it leaves C1 alone.
  m.fpStatus |= c1;
  setArithmetic(
    m,
    ((codes & C3) !== 0 ? ZF : 0) | ((codes & C2) !== 0 ? PF : 0) | ((codes & C0) !== 0 ? CF : 0),
  );
  if (pops && !ends) pop(m);
}

/** FXCH: an empty register is exchanged as the number that a masked exception gives. */
export function exchange(m: Machine, i: number): void {
  const empty = [isEmpty(m, 0), isEmpty(m, i)];
  if (empty.includes(true) && stackFault(m, false)) return;
  const [a, b] = [readStack(m, 0), readStack(m, i)];
  writeStack(m, 0, empty[1] === true ? INDEFINITE : b);
  writeStack(m, i, empty[0] === true ? INDEFINITE : a);
  if (!empty.includes(true)) m.fpStatus &= ~C1;
}

/** FLD ST(i). */
export function pushRegister(m: Machine, i: number): void {
  if (!isEmpty(m, i)) push(m, readStack(m, i));
  // Whether there is room for it does not matter then.
  else if (!stackFault(m, false)) {
    turn(m, -1);
    writeStack(m, 0, INDEFINITE);
  }
}

/** FST ST(i), FSTP ST(i). */
export function storeRegister(m: Machine, i: number, pops: boolean): void {
  if (isEmpty(m, 0)) {
    if (stackFault(m, false)) return;
    writeStack(m, i, INDEFINITE);
  } else {
    writeStack(m, i, readStack(m, 0));
    m.fpStatus &= ~C1;
  }
  if (pops) pop(m);
}

/** D9 D8 to D9 DF, which no manual has: FSTP ST(i), but an empty register is popped without another word. */
export function storeAndPop(m: Machine, i: number): void {
  if (!isEmpty(m, 0)) writeStack(m, i, readStack(m, 0));
  m.fpStatus &= ~C1;
  pop(m);
}

/** FFREE. */
export function freeRegister(m: Machine, i: number): void {
  free(m, i);
  m.fpStatus &= ~C1;
}

/** Conditions of FCMOV as those of Jcc: B, E, BE, U. */
const CONDITIONS = [2, 4, 6, 10];

export function conditionalMove(m: Machine, which: number, negative: boolean, i: number): void {
  if (isEmpty(m, 0) || isEmpty(m, i)) {
    if (stackFault(m, false)) return;
    writeStack(m, 0, INDEFINITE);
    return;
  }
  if (condition(m, CONDITIONS[which]! + (negative ? 1 : 0))) writeStack(m, 0, readStack(m, i));
}

const unary = (m: Machine, operation: Unary): void => withNumber(m, begin(m), operation, zero(0));
const signed = (m: Machine, of: (sign: 0 | 1) => 0 | 1): void =>
  unary(m, (_, a) => ({ ...a, sign: of(a.sign) }));

/** C3, C2 and C0 of FXAM (Intel SDM 2, table 3-42). */
const CLASSES = {
  unsupported: 0,
  quiet: C0,
  signaling: C0,
  normal: C2,
  infinity: C2 | C0,
  zero: C3,
  denormal: C3 | C2,
} as const;

function examine(m: Machine): void {
  const value = readStack(m, 0);
  const codes = isEmpty(m, 0) ? C3 | C0 : CLASSES[kindOf(value)];
  m.fpStatus = (m.fpStatus & ~CODES) | codes | (value.sign === 1 ? C1 : 0);
}

/** FPREM and FPREM1: C2 asks for more; else C0, C3 and C1 are the quotient's low bits from bit 2 on. */
function remain(m: Machine, nearest: boolean): void {
  if (isEmpty(m, 0) || isEmpty(m, 1)) {
    m.fpStatus &= ~C2;
    if (!stackFault(m, false)) writeStack(m, 0, INDEFINITE);
    return;
  }
  const c = begin(m);
  const { value, quotient } = remainder(c, readStack(m, 0), readStack(m, 1), nearest);
  const forbidden = finish(m, c);
  m.fpStatus &= ~(C1 | C2);
  if (forbidden) return;
  writeStack(m, 0, value);
  if (quotient === 'none') return;
  m.fpStatus &= ~CODES;
  if (quotient === 'partial') m.fpStatus |= C2;
  else {
    const low = Number(quotient & 7n);
    m.fpStatus |= ((low & 4) !== 0 ? C0 : 0) | ((low & 2) !== 0 ? C3 : 0) | ((low & 1) !== 0 ? C1 : 0);
  }
}

function extractParts(m: Machine): void {
  const isFull = !isEmpty(m, 7);
  if (isEmpty(m, 0) || isFull) {
    if (stackFault(m, isFull && !isEmpty(m, 0))) return;
    const status = m.fpStatus;
    writeStack(m, 0, INDEFINITE);
    push(m, INDEFINITE);
    m.fpStatus = (m.fpStatus & ~C1) | (status & C1);
    return;
  }
  const c = begin(m);
  const { exponent, significand } = extract(c, readStack(m, 0));
  if (finish(m, c)) return;
  writeStack(m, 0, exponent);
  push(m, significand);
}

/** Significands of 128 bits, and the exponents: log2 10, log2 e, pi, log10 2, ln 2. */
const CONSTANTS: readonly (readonly [bigint, number])[] = [
  [0xd49a784bcd1b8afe492bf6ff4dafdb4cn, 1],
  [0xb8aa3b295c17f0bbbe87fed0691d3e88n, 0],
  [0xc90fdaa22168c234c4c6628b80dc1cd1n, 1],
  [0x9a209a84fbcff7988f8959ac0b7c9178n, -2],
  [0xb17217f7d1cf79abc9e3b39803f2f6afn, -1],
];

/** The constants of D9 E8 to D9 EE; a rounded one is no inexact result. */
function constant(m: Machine, which: number): Extended {
  const row = CONSTANTS[which - 1];
  if (row === undefined) return which === 0 ? one : zero(0);
  return rounded(begin(m), EXTENDED, 0, row[0], row[1] - 127, true);
}

/** D9 E0 to D9 FF but for what is in functions.ts; false for what is not here. */
export function special(m: Machine, code: number): boolean {
  if (code >= 0xe8 && code <= 0xee) {
    push(m, constant(m, code - 0xe8));
    return true;
  }
  switch (code) {
    case 0xe0:
      signed(m, flipped);
      return true;
    case 0xe1:
      signed(m, () => 0);
      return true;
    case 0xe4:
      compareNumber(m, begin(m), zero(0));
      return true;
    case 0xe5:
      examine(m);
      return true;
    case 0xf4:
      extractParts(m);
      return true;
    case 0xf5:
      remain(m, true);
      return true;
    case 0xf8:
      remain(m, false);
      return true;
    case 0xfa:
      unary(m, squareRoot);
      return true;
    case 0xfc:
      unary(m, roundToWhole);
      return true;
    case 0xfd:
      withRegister(m, scale, 0, 1, false);
      return true;
    default:
      return false;
  }
}
