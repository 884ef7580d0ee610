/** MXCSR: its sticky flags, and what becomes of an exception that it does not mask (Intel SDM 1, 10.2.3 and 11.5). */
import { type Machine, UD, XM } from '../machine.ts';
import { BEFORE, PE } from '../x87/round.ts';

const CR4_OSXMMEXCPT = 0x400;
const MASKS_AT = 7;
const ALL = 0x3f;
const ROUNDING_AT = 13;
/** Denormal operands are zeros; results that would be denormal become zeros. */
const DAZ = 0x40;
const FLUSH = 0x8000;
/** Masks, rounding, DAZ and FZ: all but the flags. */
const CONTROL = 0xffc0;
const ORDINARY = 0x1f80;
/** Rounding control of the x87 unit: bits 10 and 11 of its control word. */
const X87_ROUNDING_AT = 10;

/** Nothing but an inexact result can happen between ordinary numbers, and that it did is known already. */
export const isSettled = (m: Machine): boolean => (m.mxcsr & (CONTROL | PE)) === (ORDINARY | PE);

/** 0 to nearest, 1 down, 2 up, 3 towards zero. */
export const roundingOf = (m: Machine): number => (m.mxcsr >> ROUNDING_AT) & 3;
export const zeroesDenormals = (m: Machine): boolean => (m.mxcsr & DAZ) !== 0;
export const flushes = (m: Machine): boolean => (m.mxcsr & FLUSH) !== 0;

/** Masks and rounding as the x87 unit's control word has them. */
export const controlWord = (m: Machine): number =>
  ((m.mxcsr >> MASKS_AT) & ALL) | (roundingOf(m) << X87_ROUNDING_AT);

/**
 * Has the flags of all lanes of an instruction stick, before its results are written. One that is not masked raises #XM, #UD where
 * the system does not know that; those of the results are not told then where an operand's came first.
 */
export function raise(m: Machine, flags: number): void {
  if (flags === 0) return;
  const unmasked = flags & ~(m.mxcsr >> MASKS_AT);
  m.mxcsr |= (unmasked & BEFORE) !== 0 ? flags & BEFORE : flags;
  if (unmasked !== 0) m.fault((m.cr4 & CR4_OSXMMEXCPT) !== 0 ? XM : UD);
}
