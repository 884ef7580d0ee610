/**
 * Operands in memory of the hot forms: where the TLB knows the page and the segment is flat, an address is made of halves
 * of 32 bits and nothing else is looked at. All else goes the way of memory.ts.
 */
import { PAGE_BYTES } from '../guest-memory.ts';
import { type Instruction, LONG_ADDRESS } from '../instruction.ts';
import { type Machine, NO_REGISTER, RSP, SS } from '../machine.ts';
import { load, store } from '../memory.ts';
import { effectiveAddress, setStackPointer, stackOffset } from '../operands.ts';
import { TLB_SLOTS } from '../tlb.ts';
import { load8, store8 } from '../wide-operands.ts';

// V8 reads an imported constant from memory each time, one of this module it puts into the code.
const MISS = -1;
const AT_MASK = PAGE_BYTES - 1;
const PAGE_MASK = -PAGE_BYTES;
const SLOT_MASK = TLB_SLOTS - 1;
const LAST_2 = PAGE_BYTES - 2;
const LAST_4 = PAGE_BYTES - 4;
const LAST_8 = PAGE_BYTES - 8;
const NONE = 2 * NO_REGISTER;
const LONG = LONG_ADDRESS;
const STACK = SS;
const SP = 2 * RSP;

/** What is carried into the upper half where `sum` is that of `part` and another low half. */
const carryOf = (sum: number, part: number): number => (sum >>> 0 < part >>> 0 ? 1 : 0);

/** Slot and offset in the page, as one number, of a linear address; MISS where the page is not known. */
function lookUp(tags: Int32Array, low: number, high: number): number {
  const slot = (low >>> 12) & SLOT_MASK;
  if (tags[2 * slot] !== (low & PAGE_MASK) || tags[2 * slot + 1] !== high) return MISS;
  return (slot << 12) | (low & AT_MASK);
}

/** Offset of the operand in its segment, signed in 64-bit mode: the low half, the high one in `Machine.high`. */
export function addressOf(m: Machine, i: Instruction): number {
  const g = m.g32;
  const disp = i.disp;
  if (i.long === 0) {
    m.high = 0;
    return (g[i.base]! + (g[i.index]! << i.scale) + disp) & i.addressMask;
  }
  let part: number;
  let high: number;
  if (i.long === LONG) {
    part = g[i.base]!;
    high = g[i.base + 1]!;
  } else {
    const from = m.blockAt + i.offset + i.length;
    part = (m.pageLow + from) | 0;
    high = m.pageHigh + carryOf(part, from);
  }
  let low = (part + disp) | 0;
  high += (disp >> 31) + carryOf(low, part);
  if (i.index !== NONE) {
    const scale = i.scale;
    const index = g[i.index]!;
    const scaled = index << scale;
    low = (low + scaled) | 0;
    high += carryOf(low, scaled);
    high += scale === 0 ? g[i.index + 1]! : (g[i.index + 1]! << scale) | (index >>> (32 - scale));
  }
  m.high = high | 0;
  return low;
}

/** `lookUp` of the operand of an instruction. */
function operandAt(m: Machine, i: Instruction, tags: Int32Array): number {
  if (m.flat[i.segment] !== 1) return MISS;
  const low = addressOf(m, i);
  return lookUp(tags, low, m.high);
}

/** Unsigned. */
export function load1(m: Machine, i: Instruction): number {
  const at = operandAt(m, i, m.readTags);
  if (at === MISS) return load(m, i.segment, effectiveAddress(m, i), 1);
  return m.readViews[at >> 12]!.getUint8(at & AT_MASK);
}

/** Unsigned. */
export function load2(m: Machine, i: Instruction): number {
  const at = operandAt(m, i, m.readTags);
  if (at === MISS || (at & AT_MASK) > LAST_2) return load(m, i.segment, effectiveAddress(m, i), 2);
  return m.readViews[at >> 12]!.getUint16(at & AT_MASK, true);
}

/** Signed. */
export function load4(m: Machine, i: Instruction): number {
  const at = operandAt(m, i, m.readTags);
  if (at === MISS || (at & AT_MASK) > LAST_4) return load(m, i.segment, effectiveAddress(m, i), 4);
  return m.readViews[at >> 12]!.getInt32(at & AT_MASK, true);
}

/** The low half; the high one is in `Machine.high`. */
export function loadBoth(m: Machine, i: Instruction): number {
  const at = operandAt(m, i, m.readTags);
  if (at === MISS || (at & AT_MASK) > LAST_8) return load8(m, i.segment, effectiveAddress(m, i));
  const view = m.readViews[at >> 12]!;
  m.high = view.getInt32((at & AT_MASK) + 4, true);
  return view.getInt32(at & AT_MASK, true);
}

export function store1(m: Machine, i: Instruction, value: number): void {
  const at = operandAt(m, i, m.writeTags);
  if (at === MISS) store(m, i.segment, effectiveAddress(m, i), 1, value);
  else m.writeViews[at >> 12]!.setUint8(at & AT_MASK, value);
}

export function store2(m: Machine, i: Instruction, value: number): void {
  const at = operandAt(m, i, m.writeTags);
  if (at === MISS || (at & AT_MASK) > LAST_2) store(m, i.segment, effectiveAddress(m, i), 2, value);
  else m.writeViews[at >> 12]!.setUint16(at & AT_MASK, value, true);
}

export function store4(m: Machine, i: Instruction, value: number): void {
  const at = operandAt(m, i, m.writeTags);
  if (at === MISS || (at & AT_MASK) > LAST_4) store(m, i.segment, effectiveAddress(m, i), 4, value);
  else m.writeViews[at >> 12]!.setInt32(at & AT_MASK, value, true);
}

export function storeBoth(m: Machine, i: Instruction, low: number, high: number): void {
  const at = operandAt(m, i, m.writeTags);
  if (at === MISS || (at & AT_MASK) > LAST_8) {
    store8(m, i.segment, effectiveAddress(m, i), low, high);
    return;
  }
  const view = m.writeViews[at >> 12]!;
  view.setInt32(at & AT_MASK, low, true);
  view.setInt32((at & AT_MASK) + 4, high, true);
}

/** True where the stack pointer has 32 bits and is a linear address. */
const hasFlatStack = (m: Machine): boolean => m.stackMask === -1 && m.flat[STACK] === 1;

/** PUSH of 4 bytes; there is none in 64-bit code. */
export function push4(m: Machine, value: number): void {
  const g = m.g32;
  const top = (g[SP]! - 4) | 0;
  const at = hasFlatStack(m) ? lookUp(m.writeTags, top, 0) : MISS;
  if (at === MISS || (at & AT_MASK) > LAST_4) {
    const offset = stackOffset(m, -4);
    store(m, STACK, offset, 4, value);
    setStackPointer(m, offset);
    return;
  }
  m.writeViews[at >> 12]!.setInt32(at & AT_MASK, value, true);
  g[SP] = top;
  g[SP + 1] = 0;
}

/** The value of 4 bytes on top of the stack. */
export function peek4(m: Machine): number {
  const at = hasFlatStack(m) ? lookUp(m.readTags, m.g32[SP]!, 0) : MISS;
  if (at === MISS || (at & AT_MASK) > LAST_4) return load(m, STACK, stackOffset(m, 0), 4);
  return m.readViews[at >> 12]!.getInt32(at & AT_MASK, true);
}

/** What `peek4` gave is popped. */
export function drop4(m: Machine): void {
  setStackPointer(m, stackOffset(m, 4));
}

/** PUSH of 8 bytes, in 64-bit code. */
export function pushBoth(m: Machine, low: number, high: number): void {
  const g = m.g32;
  const before = g[SP]!;
  const top = (before - 8) | 0;
  const topHigh = (g[SP + 1]! - (before >>> 0 < 8 ? 1 : 0)) | 0;
  const at = lookUp(m.writeTags, top, topHigh);
  if (at === MISS || (at & AT_MASK) > LAST_8) {
    const offset = stackOffset(m, -8);
    store8(m, STACK, offset, low, high);
    setStackPointer(m, offset);
    return;
  }
  const view = m.writeViews[at >> 12]!;
  view.setInt32(at & AT_MASK, low, true);
  view.setInt32((at & AT_MASK) + 4, high, true);
  g[SP] = top;
  g[SP + 1] = topHigh;
}

/** The value on top of the stack, in 64-bit code: its low half, the high one in `Machine.high`. */
export function peekBoth(m: Machine): number {
  const g = m.g32;
  const at = lookUp(m.readTags, g[SP]!, g[SP + 1]!);
  if (at === MISS || (at & AT_MASK) > LAST_8) return load8(m, STACK, stackOffset(m, 0));
  const view = m.readViews[at >> 12]!;
  m.high = view.getInt32((at & AT_MASK) + 4, true);
  return view.getInt32(at & AT_MASK, true);
}

/** What `peekBoth` gave is popped. */
export function drop8(m: Machine): void {
  const g = m.g32;
  const after = (g[SP]! + 8) | 0;
  if (after >>> 0 < 8) g[SP + 1] = g[SP + 1]! + 1;
  g[SP] = after;
}
