/** LAR, LSL, VERR, VERW and ARPL: what a selector may be used for, asked without a fault (Intel SDM 3, 5.10). */
import { setZero } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { type Machine, UD } from '../machine.ts';
import { readRm, readRmForUpdate, updateRm, writeReg } from '../operands.ts';
import { NON_SYSTEM } from '../segment-state.ts';
import { writeRegister8 } from '../wide-operands.ts';
import { narrowSource } from './moves.ts';
import {
  type Descriptor,
  dplOf,
  findDescriptor,
  isCode,
  isConforming,
  isReadable,
  isWritableData,
} from './segments.ts';

/** Types of system descriptors that LAR and LSL know, as bits; long mode has fewer (Intel SDM 2, LAR and LSL). */
const bitsOf = (...types: readonly number[]): number => types.reduce((bits, type) => bits | (1 << type), 0);
const LAR_TYPES = bitsOf(1, 2, 3, 4, 5, 9, 11, 12);
const LAR_TYPES_LONG = bitsOf(2, 9, 11, 12);
const LSL_TYPES = bitsOf(1, 2, 3, 9, 11);
const LSL_TYPES_LONG = bitsOf(2, 9, 11);

/** The descriptor, where the current level and the selector's may see it. */
function visible(m: Machine, selector: number): Descriptor | undefined {
  if (m.realSegments) m.fault(UD);
  if ((selector & 0xfffc) === 0) return undefined;
  const d = findDescriptor(m, selector);
  if (d === undefined || (isCode(d.attributes) && isConforming(d.attributes))) return d;
  return Math.max(m.cpl, selector & 3) <= dplOf(d.attributes) ? d : undefined;
}

/** Writes what is asked for, with ZF set, or nothing, with ZF clear. */
function answer(m: Machine, i: Instruction, value: number | undefined): void {
  setZero(m, value !== undefined);
  if (value === undefined) return;
  if (i.size === 8) writeRegister8(m, i.reg, value, 0);
  else writeReg(m, i, value);
}

const ofType = (d: Descriptor, types: number): boolean =>
  (d.attributes & NON_SYSTEM) !== 0 || ((types >>> (d.attributes & 15)) & 1) !== 0;

export function lar(m: Machine, i: Instruction): void {
  const d = visible(m, narrowSource(m, i));
  const known = d !== undefined && ofType(d, m.longMode ? LAR_TYPES_LONG : LAR_TYPES);
  answer(m, i, known ? d.attributes << 8 : undefined);
}

export function lsl(m: Machine, i: Instruction): void {
  const d = visible(m, narrowSource(m, i));
  const known = d !== undefined && ofType(d, m.longMode ? LSL_TYPES_LONG : LSL_TYPES);
  answer(m, i, known ? d.limit | 0 : undefined);
}

export function verr(m: Machine, i: Instruction): void {
  const d = visible(m, readRm(m, i) & 0xffff);
  setZero(m, d !== undefined && isReadable(d.attributes));
}

export function verw(m: Machine, i: Instruction): void {
  const d = visible(m, readRm(m, i) & 0xffff);
  setZero(m, d !== undefined && isWritableData(d.attributes));
}

/** Raises the level in a selector to that of another one. */
export function arpl(m: Machine, i: Instruction): void {
  if (m.realSegments) m.fault(UD);
  const selector = readRmForUpdate(m, i);
  const level = m.g16[i.reg]! & 3;
  const raised = (selector & 3) < level;
  if (raised) updateRm(m, i, (selector & ~3) | level);
  setZero(m, raised);
}
