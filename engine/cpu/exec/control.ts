/** Jumps, calls and returns within the code segment. `m.ip` is that of the next instruction when these run. */
import { condition, isZero } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { CANONICAL_END, CS, GP, type Machine, RCX } from '../machine.ts';
import { peek, push, readRm, setStackPointer, stackOffset } from '../operands.ts';

/** The target cut to the operand size; #GP beyond the code segment. */
export function target(m: Machine, ip: number, size: number): number {
  if (size === 8) {
    if (!(ip < CANONICAL_END && ip >= -CANONICAL_END)) m.fault(GP, 0);
    return ip;
  }
  const to = size === 2 ? ip & 0xffff : ip >>> 0;
  if (to > m.limits[CS]!) m.fault(GP, m.protectedMode ? 0 : undefined);
  return to;
}

export function jmp(m: Machine, i: Instruction): void {
  m.ip = target(m, m.ip + i.imm, i.size);
}

export function jcc(m: Machine, i: Instruction): void {
  if (condition(m, i.kind)) m.ip = target(m, m.ip + i.imm, i.size);
}

export function jmpRm(m: Machine, i: Instruction): void {
  m.ip = target(m, readRm(m, i), i.size);
}

export function call(m: Machine, i: Instruction): void {
  const to = target(m, m.ip + i.imm, i.size);
  push(m, m.ip, i.size);
  m.ip = to;
}

export function callRm(m: Machine, i: Instruction): void {
  const to = target(m, readRm(m, i), i.size);
  push(m, m.ip, i.size);
  m.ip = to;
}

/** RET, with the bytes of parameters to drop in `imm`. */
export function ret(m: Machine, i: Instruction): void {
  m.ip = target(m, peek(m, 0, i.size), i.size);
  setStackPointer(m, stackOffset(m, i.size + (i.imm & 0xffff)));
}

/** LOOPNE, LOOPE, LOOP, JCXZ: the order of the opcodes E0 to E3. */
const LOOPNE = 0;
const LOOPE = 1;
const JCXZ = 3;

/** The counter is as wide as the address size. */
export function loop(m: Machine, i: Instruction): void {
  const counter = (m.g32[2 * RCX]! & i.addressMask) >>> 0;
  if (i.kind === JCXZ) {
    if (counter === 0) m.ip = target(m, m.ip + i.imm, i.size);
    return;
  }
  const left = (counter - 1) & i.addressMask;
  const wanted = i.kind === LOOPNE ? !isZero(m) : i.kind === LOOPE ? isZero(m) : true;
  if (left !== 0 && wanted) m.ip = target(m, m.ip + i.imm, i.size);
  if (i.addressMask === -1) {
    m.g32[2 * RCX] = left;
    m.g32[2 * RCX + 1] = 0;
  } else m.g16[4 * RCX] = left;
}
