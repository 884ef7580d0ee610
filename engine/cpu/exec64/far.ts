/** Returns from interrupts, far transfers, and the fast system calls of long mode. */
import { target } from '../exec/control.ts';
import { enterCode } from '../exec/enter-code.ts';
import { checkedReturn, dropPrivileged, farTransfer, outerStack } from '../exec/far.ts';
import { changeableFlags } from '../exec/stack.ts';
import { EVERY_FLAG, NT, RF, readFlags, VIF, VIP, writeFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { CS, DS, ES, FS, GP, GS, type Machine, R11, RCX, SS, UD } from '../machine.ts';
import { load } from '../memory.ts';
import { effectiveAddress, peek, setStackPointer } from '../operands.ts';
import { BIG, FLAT_CODE, FLAT_DATA, FLAT_LIMIT, LEVEL_3, LONG, setSegment } from '../segment-state.ts';
import { highHalf, joined, load8, lowHalf, writeRegister8 } from '../wide-operands.ts';
import { peekNumber } from './stack.ts';
import { setNullStack } from './stacks.ts';

/** A frame's word of 4 or 8 bytes as a number. */
function frameWord(m: Machine, n: number, size: number): number {
  return size === 8 ? peekNumber(m, 8 * n) : peek(m, size * n, size) >>> 0;
}

/** IRET of 64-bit mode always takes the stack from the frame (Intel SDM 2, IRET). */
export function iret(m: Machine, i: Instruction): void {
  if ((m.flags & NT) !== 0) m.fault(GP, 0);
  const { size } = i;
  const ip = frameWord(m, 0, size);
  const selector = frameWord(m, 1, size) & 0xffff;
  const flags = frameWord(m, 2, size) | 0;
  const sp = frameWord(m, 3, size);
  const stackSelector = frameWord(m, 4, size) & 0xffff;
  let mask = changeableFlags(m, size);
  if (size !== 2) mask |= RF;
  if (m.cpl === 0) mask |= VIF | VIP;
  returnTo(m, ip, selector, sp, stackSelector, m.cpl);
  writeFlags(m, flags, mask);
  m.nmiBlocked = false;
}

function returnTo(
  m: Machine,
  ip: number,
  selector: number,
  sp: number,
  stackSelector: number,
  before: number,
): void {
  const d = checkedReturn(m, selector);
  const level = selector & 3;
  const toLong = (d.attributes & 0x2000) !== 0;
  if ((stackSelector & 0xfffc) === 0) {
    if (!toLong || level === 3 || (stackSelector & 3) !== level) m.fault(GP, 0);
    enterCode(m, d, level, ip);
    setNullStack(m, stackSelector, level);
  } else {
    const stack = outerStack(m, stackSelector, level);
    enterCode(m, d, level, ip);
    setSegment(m, SS, stack.selector, stack.base, stack.limit, stack.attributes | 1);
  }
  writeRegister8(m, 8, lowHalf(sp), toLong ? highHalf(sp) : 0);
  if (level > before) for (const segment of [ES, DS, FS, GS]) dropPrivileged(m, segment, level);
}

/** RETF: the stack is in the frame where it goes to an outer level. */
export function retFar(m: Machine, i: Instruction): void {
  const { size } = i;
  const ip = frameWord(m, 0, size);
  const selector = frameWord(m, 1, size) & 0xffff;
  const dropped = i.imm & 0xffff;
  const before = m.cpl;
  if ((selector & 3) === before) {
    const d = checkedReturn(m, selector);
    const after = joined(m.g32[8]!, m.g32[9]!) + 2 * size + dropped;
    enterCode(m, d, before, ip);
    setStackPointer(m, after);
    return;
  }
  // Behind the parameters; a frame word is counted in its size.
  const sp = size === 8 ? peekNumber(m, 16 + dropped) : peek(m, 2 * size + dropped, size) >>> 0;
  const stackSelector = peek(m, 3 * size + dropped, 2);
  returnTo(m, ip, selector, sp + dropped, stackSelector, before);
}

function throughMemory(m: Machine, i: Instruction, isCall: boolean): void {
  const at = effectiveAddress(m, i);
  const low = i.size === 8 ? load8(m, i.segment, at) : load(m, i.segment, at, i.size);
  const offset = i.size === 8 ? joined(low, m.high) : low >>> 0;
  farTransfer(m, i, load(m, i.segment, at + i.size, 2), offset, isCall);
}

export function callFarMemory(m: Machine, i: Instruction): void {
  throughMemory(m, i, true);
}

export function jmpFarMemory(m: Machine, i: Instruction): void {
  throughMemory(m, i, false);
}

const EFER_SCE = 1;

/** Selectors and entry points stand in STAR, LSTAR, CSTAR and SFMASK (Intel SDM 2, SYSCALL). */
export function syscall(m: Machine): void {
  if (!m.code64 || (m.efer & EFER_SCE) === 0) m.fault(UD);
  const selector = m.starHigh & 0xfffc;
  writeRegister8(m, 2 * RCX, lowHalf(m.ip), highHalf(m.ip));
  writeRegister8(m, 2 * R11, readFlags(m) & ~RF, 0);
  m.ip = m.lstar;
  setSegment(m, CS, selector, 0, FLAT_LIMIT, FLAT_CODE | LONG);
  setSegment(m, SS, selector + 8, 0, FLAT_LIMIT, FLAT_DATA);
  writeFlags(m, 0, m.sfmask | RF);
}

/** To 64-bit code with an operand size of 64 bits, else to 32-bit code. */
export function sysret(m: Machine, i: Instruction): void {
  if (!m.code64 || (m.efer & EFER_SCE) === 0) m.fault(UD);
  if (m.cpl !== 0) m.fault(GP, 0);
  const selector = m.starHigh >>> 16;
  const wide = i.size === 8;
  m.ip = wide ? target(m, joined(m.g32[2 * RCX]!, m.g32[2 * RCX + 1]!), 8) : m.g32[2 * RCX]! >>> 0;
  writeFlags(m, m.g32[2 * R11]! & 0x3c7fd7, EVERY_FLAG);
  setSegment(
    m,
    CS,
    ((selector + (wide ? 16 : 0)) | 3) & 0xffff,
    0,
    FLAT_LIMIT,
    FLAT_CODE | (wide ? LONG : BIG) | LEVEL_3,
  );
  setSegment(m, SS, ((selector + 8) | 3) & 0xffff, 0, FLAT_LIMIT, FLAT_DATA | LEVEL_3);
}

export function swapgs(m: Machine): void {
  if (!m.code64) m.fault(UD);
  if (m.cpl !== 0) m.fault(GP, 0);
  const base = m.bases[GS]!;
  setSegment(m, GS, m.selectors[GS]!, m.kernelGsBase, m.limits[GS]!, m.attributes[GS]!);
  m.kernelGsBase = base;
}
