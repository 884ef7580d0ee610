/** The stack and near transfers of 64-bit mode. */
import { target } from '../exec/control.ts';
import { loadSegment } from '../exec/segments.ts';
import { changeableFlags } from '../exec/stack.ts';
import { isZero, RF, readFlags, VM, writeFlags } from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { type Machine, RBP, RCX, SS } from '../machine.ts';
import { probeStore } from '../memory.ts';
import { effectiveAddress, setStackPointer, stackOffset } from '../operands.ts';
import { highHalf, joined, load8, lowHalf, readRm8, store8, writeRegister8 } from '../wide-operands.ts';

export function push8(m: Machine, low: number, high: number): void {
  const at = stackOffset(m, -8);
  store8(m, SS, at, low, high);
  setStackPointer(m, at);
}

/** The value `delta` bytes from the top of the stack, its high half in `Machine.high`. */
export function peek8(m: Machine, delta: number): number {
  return load8(m, SS, stackOffset(m, delta));
}

/** The same as a number; exact for an address. */
export function peekNumber(m: Machine, delta: number): number {
  const low = peek8(m, delta);
  return joined(low, m.high);
}

export function pushRm(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  push8(m, low, m.high);
}

export function pushImm(m: Machine, i: Instruction): void {
  push8(m, i.imm, i.imm >> 31);
}

export function popRm(m: Machine, i: Instruction): void {
  const low = peek8(m, 0);
  const high = m.high;
  const before = stackOffset(m, 0);
  setStackPointer(m, before + 8);
  if (i.rm !== MEMORY) {
    writeRegister8(m, i.rm, low, high);
    return;
  }
  // An address by RSP is that after the pop; a fault leaves the one before.
  const offset = effectiveAddress(m, i);
  setStackPointer(m, before);
  store8(m, i.segment, offset, low, high);
  setStackPointer(m, before + 8);
}

export function pushSeg(m: Machine, i: Instruction): void {
  push8(m, m.selectors[i.kind]!, 0);
}

export function pushf(m: Machine): void {
  push8(m, readFlags(m) & ~(RF | VM), 0);
}

export function popf(m: Machine): void {
  const value = peek8(m, 0);
  setStackPointer(m, stackOffset(m, 8));
  writeFlags(m, value & ~RF, changeableFlags(m, 8) | RF);
}

export function enter(m: Machine, i: Instruction): void {
  const level = i.imm2 & 31;
  const frame = stackOffset(m, -8);
  for (let n = 1; n <= level + 1; n += 1) probeStore(m, SS, stackOffset(m, -8 * n), 8);
  const rbp = joined(m.g32[2 * RBP]!, m.g32[2 * RBP + 1]!);
  const links: number[] = [];
  for (let n = 1; n < level; n += 1) links.push(load8(m, SS, rbp - 8 * n), m.high);
  if (level > 0) links.push(lowHalf(frame), highHalf(frame));
  store8(m, SS, frame, m.g32[2 * RBP]!, m.g32[2 * RBP + 1]!);
  for (let n = 0; n < level; n += 1) store8(m, SS, frame - 8 * (n + 1), links[2 * n]!, links[2 * n + 1]!);
  writeRegister8(m, 2 * RBP, lowHalf(frame), highHalf(frame));
  setStackPointer(m, frame - 8 * level - (i.imm & 0xffff));
}

export function leaveFrame(m: Machine): void {
  const frame = joined(m.g32[2 * RBP]!, m.g32[2 * RBP + 1]!);
  const low = load8(m, SS, frame);
  writeRegister8(m, 2 * RBP, low, m.high);
  setStackPointer(m, frame + 8);
}

export function call(m: Machine, i: Instruction): void {
  const to = target(m, m.ip + i.imm, 8);
  push8(m, lowHalf(m.ip), highHalf(m.ip));
  m.ip = to;
}

export function callRm(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  const to = target(m, joined(low, m.high), 8);
  push8(m, lowHalf(m.ip), highHalf(m.ip));
  m.ip = to;
}

export function jmpRm(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  m.ip = target(m, joined(low, m.high), 8);
}

export function ret(m: Machine, i: Instruction): void {
  const to = target(m, peekNumber(m, 0), 8);
  setStackPointer(m, stackOffset(m, 8 + (i.imm & 0xffff)));
  m.ip = to;
}

/** LOOPNE, LOOPE, LOOP, JCXZ: the counter is RCX, or ECX with an address size of 32 bits. */
const LOOPNE = 0;
const LOOPE = 1;
const JCXZ = 3;

export function loop(m: Machine, i: Instruction): void {
  const low = m.g32[2 * RCX]!;
  const high = i.long === 0 ? 0 : m.g32[2 * RCX + 1]!;
  if (i.kind === JCXZ) {
    if ((low | high) === 0) m.ip = target(m, m.ip + i.imm, 8);
    return;
  }
  const left = (low - 1) | 0;
  const leftHigh = i.long === 0 ? 0 : (high - (low === 0 ? 1 : 0)) | 0;
  const wanted = i.kind === LOOPNE ? !isZero(m) : i.kind === LOOPE ? isZero(m) : true;
  if ((left | leftHigh) !== 0 && wanted) m.ip = target(m, m.ip + i.imm, 8);
  writeRegister8(m, 2 * RCX, left, leftHigh);
}

/** POP of FS and GS, the selectors that are left. */
export function popSeg(m: Machine, i: Instruction): void {
  const selector = peek8(m, 0) & 0xffff;
  const after = stackOffset(m, 8);
  loadSegment(m, i.kind, selector);
  setStackPointer(m, after);
}
