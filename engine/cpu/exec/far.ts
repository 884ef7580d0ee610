/** Far jumps, calls and returns, and IRET. */
import { NT, RF, VIF, VIP, VM, writeFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { CS, DS, ES, FS, GP, GS, type Machine, NP, SS, STACK_FAULT } from '../machine.ts';
import { load } from '../memory.ts';
import { effectiveAddress, offsetFrom, peek, setStackPointer, stackOffset } from '../operands.ts';
import { NON_SYSTEM, PRESENT, setRealSegment, setSegment } from '../segment-state.ts';
import { checkOffset, enterCode } from './enter-code.ts';
import { pushAll } from './frames.ts';
import { transferToSystem } from './gates.ts';
import {
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  markAccessed,
  readDescriptor,
  selectorError,
} from './segments.ts';
import { changeableFlags, needIopl3 } from './stack.ts';
import { returnFromTask } from './tasks.ts';
import { enterVirtual8086 } from './virtual-8086.ts';

/** Faults unless a far JMP or CALL may enter the code segment at the current level. */
function checkDirect(m: Machine, d: Descriptor): void {
  const { selector } = d;
  const error = selectorError(selector);
  const dpl = dplOf(d.attributes);
  const allowed = isConforming(d.attributes) ? dpl <= m.cpl : (selector & 3) <= m.cpl && dpl === m.cpl;
  if (!isCode(d.attributes) || !allowed) m.fault(GP, error);
  if ((d.attributes & PRESENT) === 0) m.fault(NP, error);
}

/** A far JMP or CALL; `offset` is a number of any sign. */
export function farTransfer(
  m: Machine,
  i: Instruction,
  selector: number,
  offset: number,
  isCall: boolean,
): void {
  const ip = i.size === 2 ? offset & 0xffff : i.size === 8 ? offset : offset >>> 0;
  const back = isCall ? [m.selectors[CS]!, m.ip] : [];
  if (m.realSegments) {
    if (ip > m.limits[CS]!) m.fault(GP, m.protectedMode ? 0 : undefined);
    pushAll(m, back, i.size);
    setRealSegment(m, CS, selector);
    m.ip = ip;
    return;
  }
  if ((selector & 0xfffc) === 0) m.fault(GP, 0);
  const d = readDescriptor(m, selector);
  if ((d.attributes & NON_SYSTEM) === 0) {
    transferToSystem(m, d, isCall);
    return;
  }
  checkDirect(m, d);
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
  const selector = load(m, i.segment, offsetFrom(i, at, i.size), 2);
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
  if (m.realSegments) {
    if (ip > m.limits[CS]!) m.fault(GP, m.protectedMode ? 0 : undefined);
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

/**
 * A return to an outer level empties the data segments that it may not use (Intel SDM 2, RET). FS and GS that are empty keep their bases: kernels
 * give their programs those by MSR, and have nothing else there (QEMU target/i386/tcg/seg_helper.c, validate_seg).
 */
export function dropPrivileged(m: Machine, segment: number, level: number): void {
  if (segment >= FS && (m.selectors[segment]! & 0xfffc) === 0) return;
  const attributes = m.attributes[segment]!;
  const closed = !isCode(attributes) || !isConforming(attributes);
  if (closed && dplOf(attributes) < level) setSegment(m, segment, 0, 0, 0, 0);
}

export function iret(m: Machine, i: Instruction): void {
  if (m.protectedMode && !m.virtual8086 && (m.flags & NT) !== 0) {
    if (m.longMode) m.fault(GP, 0);
    returnFromTask(m);
    m.nmiBlocked = false;
    return;
  }
  if (m.virtual8086) needIopl3(m);
  const size = i.size;
  const ip = peek(m, 0, size) >>> 0;
  const selector = peek(m, size, 2);
  const flags = peek(m, 2 * size, size);
  const level0 = m.protectedMode && m.cpl === 0;
  if (level0 && size === 4 && (flags & VM) !== 0 && !m.longMode) enterVirtual8086(m, ip, selector, flags);
  else {
    let mask = changeableFlags(m, size);
    if (size === 4) mask |= RF;
    if (size === 4 && level0) mask |= VIF | VIP;
    farReturn(m, ip, selector, 3 * size, 0, size);
    writeFlags(m, flags, mask);
  }
  m.nmiBlocked = false;
}
