/** SYSENTER and SYSEXIT: fast system calls of flat segments, in long mode too (Intel SDM 2). */
import { IF, VM } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { CANONICAL_END, CS, GP, type Machine, RCX, RDX, RSP, SS } from '../machine.ts';
import { BIG, FLAT_CODE, FLAT_DATA, FLAT_LIMIT, LEVEL_3, LONG, setSegment } from '../segment-state.ts';
import { highHalf, joined, lowHalf, writeRegister8 } from '../wide-operands.ts';

/** From IA32_SYSENTER_CS on: the kernel's stack, then 32-bit code and data of its users, then 64-bit code and data. */
const USER_32 = 16;
const USER_64 = 32;
const NULL_BITS = 0xfffc;

/** Code and the stack behind it, flat; `wide`: 64-bit code. */
function enterFlat(m: Machine, selector: number, wide: boolean, level: number): void {
  setSegment(m, CS, selector & 0xffff, 0, FLAT_LIMIT, FLAT_CODE | (wide ? LONG : BIG) | level);
  setSegment(m, SS, (selector + 8) & 0xffff, 0, FLAT_LIMIT, FLAT_DATA | level);
}

function needSelector(m: Machine): void {
  if (!m.protectedMode || (m.sysenterCs & NULL_BITS) === 0) m.fault(GP, 0);
}

export function sysenter(m: Machine): void {
  needSelector(m);
  m.flags &= ~(VM | IF);
  const [ip, sp] = [m.sysenterEip, m.sysenterEsp];
  enterFlat(m, m.sysenterCs & NULL_BITS, m.longMode, 0);
  m.ip = m.longMode ? ip : ip >>> 0;
  writeRegister8(m, 2 * RSP, lowHalf(sp), m.longMode ? highHalf(sp) : 0);
}

const register = (m: Machine, r: number, wide: boolean): number =>
  wide ? joined(m.g32[2 * r]!, m.g32[2 * r + 1]!) : m.g32[2 * r]! >>> 0;

/** To the address in EDX with the stack in ECX; to 64-bit code with an operand size of 64 bits. */
export function sysexit(m: Machine, i: Instruction): void {
  needSelector(m);
  if (m.cpl !== 0) m.fault(GP, 0);
  const wide = i.size === 8;
  const [ip, sp] = [register(m, RDX, wide), register(m, RCX, wide)];
  for (const address of [ip, sp]) if (address >= CANONICAL_END || address < -CANONICAL_END) m.fault(GP, 0);
  enterFlat(m, (m.sysenterCs & NULL_BITS) + (wide ? USER_64 : USER_32) + 3, wide, LEVEL_3);
  m.ip = ip;
  writeRegister8(m, 2 * RSP, lowHalf(sp), wide ? highHalf(sp) : 0);
}
