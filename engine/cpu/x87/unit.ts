/** The register stack, the control, status and tag words (Intel SDM 1, 8.1). Registers stand by their distance from the top. */
import type { Machine } from '../machine.ts';
import { type Extended, INDEFINITE, kindOf, ofParts, upperWord } from './extended.ts';
import { ALL_EXCEPTIONS, BEFORE, Calculation, IE } from './round.ts';

/** Status word: stack fault, error summary, condition codes, busy. */
export const SF = 0x40;
const ES = 0x80;
export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
const TOP = 0x3800;
const TOP_AT = 11;
const BUSY = 0x8000;
/** What FNCLEX takes away. */
const EXCEPTIONS = ALL_EXCEPTIONS | SF | ES | BUSY;

/** Control word: bits that exist, and one that always reads as 1. */
const CONTROL_BITS = 0x1f3f;
const CONTROL_ONE = 0x40;
/** Rounds to nearest with 64 bits, all exceptions masked (Intel SDM 1, table 8-1: FNINIT). */
const INITIAL_CONTROL = 0x37f;

const REGISTERS = 8;
/** A register's words in `Machine.fpStack`. */
const WORDS = 4;

export const topOf = (m: Machine): number => (m.fpStatus & TOP) >> TOP_AT;

/** The error summary follows the exceptions that are not masked. */
function summarize(m: Machine): void {
  if ((m.fpStatus & ~m.fpControl & ALL_EXCEPTIONS) === 0) m.fpStatus &= ~(ES | BUSY);
  else m.fpStatus |= ES | BUSY;
}

export const isPending = (m: Machine): boolean => (m.fpStatus & ES) !== 0;

export function setControl(m: Machine, value: number): void {
  m.fpControl = (value & CONTROL_BITS) | CONTROL_ONE;
  summarize(m);
}

/** A status word that was loaded, with the registers where they are: their distances from the top change. */
export function setStatus(m: Machine, value: number): void {
  turn(m, ((value & TOP) >> TOP_AT) - topOf(m));
  m.fpStatus = value;
  summarize(m);
}

/** Both words as FXRSTOR loads them; its registers follow from the new top on. */
export function loadWords(m: Machine, control: number, status: number): void {
  m.fpStatus = status;
  setControl(m, control);
}

export function clearExceptions(m: Machine): void {
  m.fpStatus &= ~EXCEPTIONS;
}

export function initialize(m: Machine): void {
  turn(m, -topOf(m));
  m.fpControl = INITIAL_CONTROL;
  m.fpStatus = 0;
  m.fpTags = 0;
  m.fpLast = 0n;
  m.fpData = 0n;
}

/** Its words are as `initialize` leaves them. */
export const isInitial = (m: Machine): boolean =>
  m.fpControl === INITIAL_CONTROL && m.fpStatus === 0 && m.fpTags === 0 && m.fpLast === 0n && m.fpData === 0n;

/** Moves the top by `by` registers. */
export function turn(m: Machine, by: number): void {
  const steps = by & (REGISTERS - 1);
  if (steps === 0) return;
  const words = m.fpStack.slice();
  const moved = steps * WORDS;
  m.fpStack.set(words.subarray(moved));
  m.fpStack.set(words.subarray(0, moved), words.length - moved);
  m.fpStatus = (m.fpStatus & ~TOP) | (((topOf(m) + steps) & (REGISTERS - 1)) << TOP_AT);
}

const tagOf = (m: Machine, i: number): number => 1 << ((topOf(m) + i) & (REGISTERS - 1));

export const isEmpty = (m: Machine, i: number): boolean => (m.fpTags & tagOf(m, i)) === 0;

export function free(m: Machine, i: number): void {
  m.fpTags &= ~tagOf(m, i);
}

export function readStack(m: Machine, i: number): Extended {
  const at = WORDS * i;
  const significand = (BigInt(m.fpStack[at + 1]! >>> 0) << 32n) | BigInt(m.fpStack[at]! >>> 0);
  return ofParts(m.fpStack[at + 2]!, significand);
}

/** Writes a register, which then is not empty. */
export function writeStack(m: Machine, i: number, value: Extended): void {
  const at = WORDS * i;
  const { significand } = value;
  m.fpStack[at] = Number(BigInt.asIntN(32, significand));
  m.fpStack[at + 1] = Number(BigInt.asIntN(32, significand >> 32n));
  m.fpStack[at + 2] = upperWord(value);
  m.fpTags |= tagOf(m, i);
}

/** Two bits for each register from 0 on: valid, zero, special, empty (Intel SDM 1, figure 8-7). */
export function fullTags(m: Machine): number {
  let tags = 0;
  for (let r = 0; r < REGISTERS; r += 1) {
    const i = (r - topOf(m)) & (REGISTERS - 1);
    const kind = kindOf(readStack(m, i));
    const tag = isEmpty(m, i) ? 3 : kind === 'normal' ? 0 : kind === 'zero' ? 1 : 2;
    tags |= tag << (2 * r);
  }
  return tags;
}

/** Of the tags that are loaded only the empty ones count. */
export function setFullTags(m: Machine, tags: number): void {
  m.fpTags = 0;
  for (let r = 0; r < REGISTERS; r += 1) if (((tags >> (2 * r)) & 3) !== 3) m.fpTags |= 1 << r;
}

export const begin = (m: Machine): Calculation => new Calculation(m.fpControl);

/** Writes the exceptions and C1; true where an unmasked one forbids the result. */
export function finish(m: Machine, c: Calculation, forbidding: number = BEFORE): boolean {
  const forbidden = c.unmasked(forbidding);
  m.fpStatus = (m.fpStatus & ~C1) | c.flags | (c.roundedUp && !c.unmasked(BEFORE) ? C1 : 0);
  summarize(m);
  return forbidden;
}

/** A full stack where a register is to be pushed, or an empty register that is to be read; true where it is not masked. */
export function stackFault(m: Machine, isOverflow: boolean): boolean {
  m.fpStatus = (m.fpStatus & ~C1) | IE | SF | (isOverflow ? C1 : 0);
  summarize(m);
  return (m.fpControl & IE) === 0;
}

/** Pushes a number, or what a masked overflow of the stack gives in its place. */
export function push(m: Machine, value: Extended): void {
  if (!isEmpty(m, REGISTERS - 1)) {
    if (stackFault(m, true)) return;
    turn(m, -1);
    writeStack(m, 0, INDEFINITE);
    return;
  }
  m.fpStatus &= ~C1;
  turn(m, -1);
  writeStack(m, 0, value);
}

export function pop(m: Machine): void {
  free(m, 0);
  turn(m, 1);
}
