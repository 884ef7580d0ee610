/** Far jumps, calls and returns, and IRET. */
import { NT, RF, VIF, VIP, VM, writeFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { CANONICAL_END, CS, DS, ES, FS, GP, GS, type Machine, NP, SS, STACK_FAULT } from '../machine.ts';
import { load, probeStore, store } from '../memory.ts';
import { effectiveAddress, peek, setStackPointer, stackOffset } from '../operands.ts';
import { BIG, LONG, PRESENT, setRealSegment, setSegment } from '../segment-state.ts';
import { highHalf, lowHalf, store8 } from '../wide-operands.ts';
import {
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  markAccessed,
  readDescriptor,
  selectorError,
} from './segments.ts';
import { changeableFlags } from './stack.ts';

/** Pushes in order; nothing is written unless all can be. */
export function pushAll(m: Machine, values: readonly number[], size: number): void {
  values.forEach((_, n) => {
    probeStore(m, SS, stackOffset(m, -size * (n + 1)), size);
  });
  values.forEach((value, n) => {
    const at = stackOffset(m, -size * (n + 1));
    if (size === 8) store8(m, SS, at, lowHalf(value), highHalf(value));
    else store(m, SS, at, size, value);
  });
  setStackPointer(m, stackOffset(m, -size * values.length));
}

/** A code descriptor that a far JMP or CALL may enter at the current level. */
function directTarget(m: Machine, i: Instruction, selector: number): Descriptor {
  if ((selector & 0xfffc) === 0) m.fault(GP, 0);
  const d = readDescriptor(m, selector);
  const error = selectorError(selector);
  if ((d.attributes & 0x10) === 0)
    m.leave({
      kind: 'unsupported',
      what: 'far transfer through a gate or task',
      instructionLength: i.length,
    });
  const dpl = dplOf(d.attributes);
  const allowed = isConforming(d.attributes) ? dpl <= m.cpl : (selector & 3) <= m.cpl && dpl === m.cpl;
  if (!isCode(d.attributes) || !allowed) m.fault(GP, error);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, error);
  return d;
}

/** #GP beyond the limit of a segment, or where an address of 64-bit code is not canonical. */
function checkOffset(m: Machine, d: Descriptor, ip: number): void {
  if (!m.longMode || (d.attributes & LONG) === 0) {
    if (ip > d.limit) m.fault(GP, 0);
  } else if ((d.attributes & BIG) !== 0) m.fault(GP, selectorError(d.selector));
  else if (!(ip < CANONICAL_END && ip >= -CANONICAL_END)) m.fault(GP, 0);
}

/** Loads CS with a checked descriptor; the selector's RPL becomes `level`. */
export function enterCode(m: Machine, d: Descriptor, level: number, ip: number): void {
  checkOffset(m, d, ip);
  setSegment(m, CS, (d.selector & 0xfffc) | level, d.base, d.limit, markAccessed(m, d));
  m.ip = ip;
}

/** A far JMP or CALL within its level; `offset` is a number of any sign. */
export function farTransfer(
  m: Machine,
  i: Instruction,
  selector: number,
  offset: number,
  isCall: boolean,
): void {
  const ip = i.size === 2 ? offset & 0xffff : i.size === 8 ? offset : offset >>> 0;
  const back = isCall ? [m.selectors[CS]!, m.ip] : [];
  if (!m.protectedMode) {
    if (ip > m.limits[CS]!) m.fault(GP);
    pushAll(m, back, i.size);
    setRealSegment(m, CS, selector);
    m.ip = ip;
    return;
  }
  const d = directTarget(m, i, selector);
  checkOffset(m, d, ip);
  pushAll(m, back, i.size);
  enterCode(m, d, m.cpl, ip);
}

export function jmpFar(m: Machine, i: Instruction): void {
  farTransfer(m, i, i.imm2, i.imm, false);
}

export function callFar(m: Machine, i: Instruction): void {
  farTransfer(m, i, i.imm2, i.imm, true);
}

function throughMemory(m: Machine, i: Instruction, isCall: boolean): void {
  const at = effectiveAddress(m, i);
  const offset = load(m, i.segment, at, i.size);
  const selector = load(m, i.segment, ((at + i.size) & i.addressMask) >>> 0, 2);
  farTransfer(m, i, selector, offset, isCall);
}

export function jmpFarMemory(m: Machine, i: Instruction): void {
  throughMemory(m, i, false);
}

export function callFarMemory(m: Machine, i: Instruction): void {
  throughMemory(m, i, true);
}

export function retFar(m: Machine, i: Instruction): void {
  const ip = peek(m, 0, i.size) >>> 0;
  const selector = peek(m, i.size, 2);
  farReturn(m, ip, selector, 2 * i.size, i.imm & 0xffff, i.size);
}

/**
 * Returns to `selector`:`ip` with `popped` bytes of frame read and `dropped` bytes of parameters behind them; to an
 * outer level with its stack, which stands behind those.
 */
function farReturn(
  m: Machine,
  ip: number,
  selector: number,
  popped: number,
  dropped: number,
  size: number,
): void {
  if (!m.protectedMode) {
    if (ip > m.limits[CS]!) m.fault(GP);
    setRealSegment(m, CS, selector);
    m.ip = ip;
    setStackPointer(m, stackOffset(m, popped + dropped));
    return;
  }
  const d = checkedReturn(m, selector);
  const rpl = selector & 3;
  if (rpl === m.cpl) {
    const after = stackOffset(m, popped + dropped);
    enterCode(m, d, rpl, ip);
    setStackPointer(m, after);
    return;
  }
  const sp = peek(m, popped + dropped, size) >>> 0;
  const stack = outerStack(m, peek(m, popped + dropped + size, 2), rpl);
  enterCode(m, d, rpl, ip);
  setSegment(m, SS, stack.selector, stack.base, stack.limit, markAccessed(m, stack));
  setStackPointer(m, sp + dropped);
  for (const segment of [ES, DS, FS, GS]) dropPrivileged(m, segment, rpl);
}

/** A code descriptor that a return may go to. */
export function checkedReturn(m: Machine, selector: number): Descriptor {
  if ((selector & 0xfffc) === 0) m.fault(GP, 0);
  const d = readDescriptor(m, selector);
  const error = selectorError(selector);
  const rpl = selector & 3;
  const dpl = dplOf(d.attributes);
  const allowed = isConforming(d.attributes) ? dpl <= rpl : dpl === rpl;
  if (!isCode(d.attributes) || rpl < m.cpl || !allowed) m.fault(GP, error);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, error);
  return d;
}

export function outerStack(m: Machine, selector: number, level: number): Descriptor {
  if ((selector & 0xfffc) === 0) m.fault(GP, 0);
  const d = readDescriptor(m, selector);
  const writable = (d.attributes & 0x1a) === 0x12;
  if ((selector & 3) !== level || dplOf(d.attributes) !== level || !writable)
    m.fault(GP, selectorError(selector));
  if ((d.attributes & PRESENT) === 0) m.fault(STACK_FAULT, selectorError(selector));
  return d;
}

/** A return to an outer level empties the data segments that it may not use (Intel SDM 2, RET). */
export function dropPrivileged(m: Machine, segment: number, level: number): void {
  const attributes = m.attributes[segment]!;
  const closed = !isCode(attributes) || !isConforming(attributes);
  if (closed && dplOf(attributes) < level) setSegment(m, segment, 0, 0, 0, 0);
}

export function iret(m: Machine, i: Instruction): void {
  if (m.protectedMode && (m.flags & NT) !== 0)
    m.leave({ kind: 'unsupported', what: 'IRET to a nested task', instructionLength: i.length });
  const size = i.size;
  const ip = peek(m, 0, size) >>> 0;
  const selector = peek(m, size, 2);
  const flags = peek(m, 2 * size, size);
  if (m.protectedMode && m.cpl === 0 && size === 4 && (flags & VM) !== 0)
    m.leave({ kind: 'unsupported', what: 'virtual-8086 mode', instructionLength: i.length });
  let mask = changeableFlags(m, size);
  if (size === 4) mask |= RF;
  if (size === 4 && m.cpl === 0) mask |= VIF | VIP;
  farReturn(m, ip, selector, 3 * size, 0, size);
  writeFlags(m, flags, mask);
  m.nmiBlocked = false;
}
