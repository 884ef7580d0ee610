/** Segment registers and descriptors (Intel SDM 3, chapters 3 and 5). */
import { type Instruction, MEMORY } from '../instruction.ts';
import { CS, GP, LDTR, type Machine, NP, SS, STACK_FAULT, TR, UD } from '../machine.ts';
import { further, load, loadSystem, store, storeSystem } from '../memory.ts';
import {
  effectiveAddress,
  offsetFrom,
  peek,
  push,
  readRm,
  setStackPointer,
  stackOffset,
  writeReg,
  writeRegister,
} from '../operands.ts';
import { NON_SYSTEM, PRESENT, setRealSegment, setSegment } from '../segment-state.ts';

export interface Descriptor {
  readonly selector: number;
  /** Linear address of the descriptor itself. */
  readonly linear: number;
  readonly base: number;
  readonly limit: number;
  /** As `Machine.attributes`. */
  readonly attributes: number;
}

export const TABLE_INDICATOR = 4;
const ACCESSED = 1;
const CODE = 8;
const CONFORMING = 4;
export const dplOf = (attributes: number): number => (attributes >> 5) & 3;
export const isCode = (attributes: number): boolean =>
  (attributes & (NON_SYSTEM | CODE)) === (NON_SYSTEM | CODE);
export const isConforming = (attributes: number): boolean => (attributes & CONFORMING) !== 0;
export const isWritableData = (attributes: number): boolean =>
  (attributes & (NON_SYSTEM | CODE | 2)) === (NON_SYSTEM | 2);
export const isReadable = (attributes: number): boolean =>
  (attributes & NON_SYSTEM) !== 0 && ((attributes & CODE) === 0 || (attributes & 2) !== 0);

/** The error code that names a selector. */
export const selectorError = (selector: number): number => selector & 0xfffc;

/** Tables of long mode lie anywhere, whatever code runs. */
function tableAddress(m: Machine, linear: number): number {
  return m.longMode ? linear : linear >>> 0;
}

/** The descriptor of a selector that is not null; undefined where the table does not hold it. */
export function findDescriptor(m: Machine, selector: number): Descriptor | undefined {
  const local = (selector & TABLE_INDICATOR) !== 0;
  const base = local ? m.bases[LDTR]! : m.gdtBase;
  const limit = local ? m.limits[LDTR]! : m.gdtLimit;
  if ((selector | 7) > limit || (local && (m.attributes[LDTR]! & PRESENT) === 0)) return undefined;
  const linear = tableAddress(m, base + (selector & 0xfff8));
  const low = loadSystem(m, linear, 4);
  const high = loadSystem(m, tableAddress(m, linear + 4), 4);
  const raw = (high & 0xf0000) | (low & 0xffff);
  return {
    selector,
    linear,
    base: ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0,
    limit: ((high & 0x800000) !== 0 ? (raw << 12) | 0xfff : raw) >>> 0,
    attributes: (high >>> 8) & 0xf0ff,
  };
}

/** The same; raises `vector` where the table does not hold it. `ext`: the EXT bit of its error code. */
export function readDescriptor(m: Machine, selector: number, vector = GP, ext = 0): Descriptor {
  return findDescriptor(m, selector) ?? m.fault(vector, selectorError(selector) + ext);
}

/** A system descriptor of long mode has 16 bytes: the upper half of its base stands in the third word. */
function systemBase(m: Machine, d: Descriptor): number {
  return m.longMode ? loadSystem(m, d.linear + 8, 4) * 0x1_0000_0000 + d.base : d.base;
}

/** Sets the accessed bit in the table, and returns the attributes with it. */
export function markAccessed(m: Machine, d: Descriptor): number {
  const at = further(m, d.linear, 5);
  if ((d.attributes & ACCESSED) === 0) storeSystem(m, at, 1, (d.attributes & 0xff) | ACCESSED);
  return d.attributes | ACCESSED;
}

/** Loads ES, SS, DS, FS or GS. */
export function loadSegment(m: Machine, segment: number, selector: number): void {
  if (m.realSegments) {
    setRealSegment(m, segment, selector);
    return;
  }
  if ((selector & 0xfffc) === 0) {
    if (segment === SS) {
      // 64-bit code does without a segment for its stack, but not at level 3.
      if (!m.code64 || m.cpl === 3 || (selector & 3) !== m.cpl) m.fault(GP, 0);
      setSegment(m, SS, selector, 0, 0, m.cpl << 5);
      return;
    }
    setSegment(m, segment, selector, 0, 0, 0);
    return;
  }
  const d = readDescriptor(m, selector);
  const error = selectorError(selector);
  const rpl = selector & 3;
  const dpl = dplOf(d.attributes);
  if (segment === SS) {
    if (rpl !== m.cpl || !isWritableData(d.attributes) || dpl !== m.cpl) m.fault(GP, error);
    if ((d.attributes & PRESENT) === 0) m.fault(STACK_FAULT, error);
  } else {
    if (!isReadable(d.attributes)) m.fault(GP, error);
    const checked = !isCode(d.attributes) || !isConforming(d.attributes);
    if (checked && Math.max(rpl, m.cpl) > dpl) m.fault(GP, error);
    if ((d.attributes & PRESENT) === 0) m.fault(NP, error);
  }
  setSegment(m, segment, selector, d.base, d.limit, markAccessed(m, d));
}

/** MOV to a segment register; the one after a load of SS is not interrupted. */
export function movSegRm(m: Machine, i: Instruction): void {
  if (i.reg === CS || i.reg > 5) m.fault(UD);
  loadSegment(m, i.reg, readRm(m, i) & 0xffff);
  if (i.reg === SS) m.interruptShadow = true;
}

/** MOV from a segment register: 2 bytes to memory, zero-extended to the operand size in a register. */
export function movRmSeg(m: Machine, i: Instruction): void {
  if (i.reg > 5) m.fault(UD);
  writeSelector(m, i, i.reg);
}

function writeSelector(m: Machine, i: Instruction, segment: number): void {
  const selector = m.selectors[segment]!;
  if (i.rm === MEMORY) store(m, i.segment, effectiveAddress(m, i), 2, selector);
  else writeRegister(m, i.rm, i.size === 2 ? 2 : 4, selector);
}

export function pushSeg(m: Machine, i: Instruction): void {
  push(m, m.selectors[i.kind]!, i.size);
}

export function popSeg(m: Machine, i: Instruction): void {
  const selector = peek(m, 0, 2);
  const after = stackOffset(m, i.size);
  loadSegment(m, i.kind, selector);
  setStackPointer(m, after);
  if (i.kind === SS) m.interruptShadow = true;
}

/** LES, LDS, LSS, LFS, LGS. */
export function loadFarPointer(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  const offset = load(m, i.segment, at, i.size);
  const selector = load(m, i.segment, offsetFrom(i, at, i.size), 2);
  loadSegment(m, i.kind, selector);
  writeReg(m, i, offset);
}

/** Types of system descriptors (Intel SDM 3, table 3-2): a task-state segment that is in use has BUSY as well. */
export const LDT_TYPE = 2;
export const TSS_16 = 1;
export const TSS_32 = 9;
export const TSS_TYPES: readonly number[] = [TSS_16, TSS_32];
export const TSS_BUSY = 2;
/** Of system types: with words of 32 bits. */
export const WIDE_TYPE = 8;

function needProtectedLevel0(m: Machine): void {
  if (m.realSegments) m.fault(UD);
  if (m.cpl !== 0) m.fault(GP, 0);
}

export function lldt(m: Machine, i: Instruction): void {
  needProtectedLevel0(m);
  const selector = readRm(m, i) & 0xffff;
  if ((selector & 0xfffc) === 0) {
    setSegment(m, LDTR, selector, 0, 0, 0);
    return;
  }
  const d = readDescriptor(m, selector);
  if ((selector & TABLE_INDICATOR) !== 0 || (d.attributes & 0x1f) !== LDT_TYPE)
    m.fault(GP, selectorError(selector));
  if ((d.attributes & PRESENT) === 0) m.fault(NP, selectorError(selector));
  setSegment(m, LDTR, selector, systemBase(m, d), d.limit, d.attributes);
}

export function ltr(m: Machine, i: Instruction): void {
  needProtectedLevel0(m);
  const selector = readRm(m, i) & 0xffff;
  if ((selector & 0xfffc) === 0) m.fault(GP, 0);
  const d = readDescriptor(m, selector);
  const local = (selector & TABLE_INDICATOR) !== 0;
  if (local || !TSS_TYPES.includes(d.attributes & 0x1f)) m.fault(GP, selectorError(selector));
  if ((d.attributes & PRESENT) === 0) m.fault(NP, selectorError(selector));
  const base = systemBase(m, d);
  storeSystem(m, further(m, d.linear, 5), 1, (d.attributes & 0xff) | TSS_BUSY);
  setSegment(m, TR, selector, base, d.limit, d.attributes | TSS_BUSY);
}

export function storeLdtr(m: Machine, i: Instruction): void {
  if (m.realSegments) m.fault(UD);
  writeSelector(m, i, LDTR);
}

export function storeTr(m: Machine, i: Instruction): void {
  if (m.realSegments) m.fault(UD);
  writeSelector(m, i, TR);
}
