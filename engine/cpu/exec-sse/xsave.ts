/** XSAVE and what belongs to it, for the states of the x87 unit and of SSE (Intel SDM 1, chapter 13). */
import type { Instruction } from '../instruction.ts';
import { CR0_TS, GP, type Machine, NM, RAX, RCX, RDX, UD } from '../machine.ts';
import { load, probeStore, store } from '../memory.ts';
import { effectiveAddress, writeRegister } from '../operands.ts';
import { initialize, isInitial } from '../x87/unit.ts';
import { checkedMxcsr, loadUnit, loadVectors, saveControl, saveUnit, saveVectors } from './save.ts';

export const CR4_OSXSAVE = 0x40000;
/** State components. */
const X87 = 1;
const SSE = 2;
/** The header behind the area of FXSAVE: which components are there, and 56 bytes that are 0. */
const HEADER = 512;
const AREA_BYTES = 576;
const ALIGNMENT = 64;
/** Of the header the standard format has zeros there. */
const RESERVED = { from: 8, to: 24 };

function needXsave(m: Machine): void {
  if ((m.cr4 & CR4_OSXSAVE) === 0) m.fault(UD);
}

/** XCR0: bit 0 is always set. */
const enabled = (m: Machine): number => m.xcr0 | X87;

export function xgetbv(m: Machine): void {
  needXsave(m);
  if (m.g32[2 * RCX] !== 0) m.fault(GP, 0);
  writeRegister(m, 2 * RAX, 4, enabled(m));
  writeRegister(m, 2 * RDX, 4, 0);
}

export function xsetbv(m: Machine): void {
  needXsave(m);
  const value = m.g32[2 * RAX]!;
  const wrong = (value & ~(X87 | SSE)) !== 0 || (value & X87) === 0 || m.g32[2 * RDX] !== 0;
  if (m.cpl !== 0 || m.g32[2 * RCX] !== 0 || wrong) m.fault(GP, 0);
  m.xcr0 = value;
}

/** Where the area is, and which components the instruction asks for of those that are enabled. */
function asked(m: Machine, i: Instruction): { readonly at: number; readonly components: number } {
  needXsave(m);
  if ((m.cr0 & CR0_TS) !== 0) m.fault(NM);
  const at = effectiveAddress(m, i);
  if ((m.bases[i.segment]! + at) % ALIGNMENT !== 0) m.fault(GP, 0);
  return { at, components: enabled(m) & m.g32[2 * RAX]! };
}

/** Components that are not as they are after reset. */
function inUse(m: Machine): number {
  const x87 = isInitial(m) && m.fpStack.every((word) => word === 0) ? 0 : X87;
  const words = m.code64 ? 64 : 32;
  for (let n = 0; n < words; n += 1) if (m.x32[n] !== 0) return x87 | SSE;
  return x87;
}

function saveComponents(m: Machine, i: Instruction, leavesInitial: boolean): void {
  const { at, components } = asked(m, i);
  probeStore(m, i.segment, at, AREA_BYTES);
  const used = inUse(m);
  const written = leavesInitial ? components & used : components;
  const before = load(m, i.segment, at + HEADER, 4);
  if ((written & X87) !== 0) saveUnit(m, i.segment, at);
  if ((components & SSE) !== 0) saveControl(m, i.segment, at);
  if ((written & SSE) !== 0) saveVectors(m, i.segment, at);
  store(m, i.segment, at + HEADER, 4, (before & ~components) | (used & components));
}

export function xsave(m: Machine, i: Instruction): void {
  saveComponents(m, i, false);
}

/** A component as it is after reset is not written. */
export function xsaveopt(m: Machine, i: Instruction): void {
  saveComponents(m, i, true);
}

export function xrstor(m: Machine, i: Instruction): void {
  const { at, components } = asked(m, i);
  const word = (offset: number): number => load(m, i.segment, at + offset, 4);
  const there = word(HEADER);
  if ((there & ~enabled(m)) !== 0 || word(HEADER + 4) !== 0) m.fault(GP, 0);
  for (let n = RESERVED.from; n < RESERVED.to; n += 4) if (word(HEADER + n) !== 0) m.fault(GP, 0);
  const mxcsr = (components & SSE) !== 0 ? checkedMxcsr(m, i.segment, at) : m.mxcsr;
  // Whatever of it is missing is found before anything changes.
  for (let n = 0; n < HEADER; n += 4) word(n);
  if ((components & X87) !== 0) {
    if ((there & X87) !== 0) loadUnit(m, i.segment, at);
    else {
      m.fpStack.fill(0);
      initialize(m);
      m.fpTouched = true;
    }
  }
  if ((components & SSE) === 0) return;
  if ((there & SSE) !== 0) loadVectors(m, i.segment, at);
  else {
    m.x32.fill(0, 0, m.code64 ? 64 : 32);
    m.xmmTouched = true;
  }
  m.mxcsr = mxcsr;
}
