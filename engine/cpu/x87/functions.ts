/** The instructions of the transcendental functions: what they take from the stack and leave there (Intel SDM 2). */
import type { Machine } from '../machine.ts';
import { withNumber, withRegister } from './compute.ts';
import { type Extended, INDEFINITE, isNan, one, zero } from './extended.ts';
import type { Calculation } from './round.ts';
import {
  angleOf,
  isBeyond,
  ofAngle,
  powerLessOne,
  timesBinaryLogarithm,
  timesLogarithmOfOneAnd,
} from './transcendental.ts';
import { begin, C1, C2, finish, isEmpty, push, readStack, stackFault, writeStack } from './unit.ts';

type OfAngle = (c: Calculation, x: Extended) => Extended;
const sine: OfAngle = (c, x) => ofAngle(c, 'sine', x);
const cosine: OfAngle = (c, x) => ofAngle(c, 'cosine', x);
const tangent: OfAngle = (c, x) => ofAngle(c, 'tangent', x);

/** FSIN, FCOS, FPTAN, FSINCOS: `above` is pushed onto the first; C2 says that the angle was too large. */
function angle(m: Machine, first: OfAngle, above?: OfAngle): void {
  const isFull = above !== undefined && !isEmpty(m, 7);
  m.fpStatus &= ~C2;
  if (isEmpty(m, 0) || isFull) {
    if (stackFault(m, isFull && !isEmpty(m, 0))) return;
    const c1 = m.fpStatus & C1;
    writeStack(m, 0, INDEFINITE);
    if (above !== undefined) push(m, INDEFINITE);
    m.fpStatus = (m.fpStatus & ~C1) | c1;
    return;
  }
  const x = readStack(m, 0);
  if (isBeyond(x)) {
    m.fpStatus = (m.fpStatus & ~C1) | C2;
    return;
  }
  const c = begin(m);
  const below = first(c, x);
  const top = above?.(c, x);
  if (finish(m, c)) return;
  const c1 = m.fpStatus & C1;
  writeStack(m, 0, below);
  if (top !== undefined) push(m, top);
  m.fpStatus |= c1;
}

/** What FPTAN pushes, so that a division by it is left to do: 1, but above what is no number the same again. */
const unit: OfAngle = (c, x) => {
  const other = tangent(c, x);
  return isNan(other) ? other : one;
};

/** D9 F0 to D9 FF, those that are transcendental; false for others. */
export function transcendental(m: Machine, code: number): boolean {
  switch (code) {
    case 0xf0:
      withNumber(m, begin(m), powerLessOne, zero(0));
      return true;
    case 0xf1:
      withRegister(m, timesBinaryLogarithm, 1, 0, true);
      return true;
    case 0xf2:
      angle(m, tangent, unit);
      return true;
    case 0xf3:
      withRegister(m, angleOf, 1, 0, true);
      return true;
    case 0xf9:
      withRegister(m, timesLogarithmOfOneAnd, 1, 0, true);
      return true;
    case 0xfb:
      angle(m, sine, cosine);
      return true;
    case 0xfe:
      angle(m, sine);
      return true;
    case 0xff:
      angle(m, cosine);
      return true;
    default:
      return false;
  }
}
