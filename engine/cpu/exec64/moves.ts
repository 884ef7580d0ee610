/** Moves and conversions with operands of 64 bits. */
import { narrowSource, swapped } from '../exec/moves.ts';
import { condition, setZero } from '../flags.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import type { Pair } from '../locked.ts';
import { GP, type Machine, RAX, RBX, RCX, RDX } from '../machine.ts';
import { further, load, loadLinear8, replacePair, signed64, storeLinear8 } from '../memory.ts';
import { effectiveAddress, exactAddress, signed } from '../operands.ts';
import {
  highHalf,
  highOf,
  load8,
  lowHalf,
  lowOf,
  probeStore16,
  readRm8,
  readRm8ForUpdate,
  store8,
  updateRm8,
  writeRegister8,
  writeRm8,
} from '../wide-operands.ts';

export function movRmReg(m: Machine, i: Instruction): void {
  writeRm8(m, i, m.g32[i.reg]!, m.g32[i.reg + 1]!);
}

export function movRegRm(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  writeRegister8(m, i.reg, low, m.high);
}

export function movRmImm(m: Machine, i: Instruction): void {
  writeRm8(m, i, i.imm, i.imm >> 31);
}

/** MOV with the one immediate of 64 bits that there is. */
export function movRegImm64(m: Machine, i: Instruction): void {
  writeRegister8(m, i.rm, i.imm, i.imm2);
}

export function movAccMemory(m: Machine, i: Instruction): void {
  const low = load8(m, i.segment, effectiveAddress(m, i));
  writeRegister8(m, 0, low, m.high);
}

export function movMemoryAcc(m: Machine, i: Instruction): void {
  store8(m, i.segment, effectiveAddress(m, i), m.g32[0]!, m.g32[1]!);
}

/** Beyond this, sums of three numbers of 64 bits are not exact any more. */
const EXACT = 0x8_0000_0000_0000;

export function lea(m: Machine, i: Instruction): void {
  const address = effectiveAddress(m, i);
  if (address < EXACT && address >= -EXACT) {
    writeRegister8(m, i.reg, lowHalf(address), highHalf(address));
    return;
  }
  const exact = exactAddress(m, i);
  writeRegister8(m, i.reg, lowOf(exact), highOf(exact));
}

export function xchgRmReg(m: Machine, i: Instruction): void {
  const a = readRm8ForUpdate(m, i);
  const aHigh = m.high;
  const b = m.g32[i.reg]!;
  const bHigh = m.g32[i.reg + 1]!;
  writeRegister8(m, i.reg, a, aHigh);
  updateRm8(m, i, b, bHigh);
}

export function movzx(m: Machine, i: Instruction): void {
  writeRegister8(m, i.reg, narrowSource(m, i), 0);
}

export function movsx(m: Machine, i: Instruction): void {
  const low = signed(narrowSource(m, i), i.kind);
  writeRegister8(m, i.reg, low, low >> 31);
}

/** MOVSXD: 32 bits with their sign. */
export function movsxd(m: Machine, i: Instruction): void {
  const low = i.rm !== MEMORY ? m.g32[i.rm]! : load(m, i.segment, effectiveAddress(m, i), 4);
  writeRegister8(m, i.reg, low, low >> 31);
}

export function cmov(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  if (condition(m, i.kind)) writeRegister8(m, i.reg, low, m.high);
}

export function bswap(m: Machine, i: Instruction): void {
  writeRegister8(m, i.rm, swapped(m.g32[i.rm + 1]!), swapped(m.g32[i.rm]!));
}

export function movbeLoad(m: Machine, i: Instruction): void {
  const low = readRm8(m, i);
  writeRegister8(m, i.reg, swapped(m.high), swapped(low));
}

export function movbeStore(m: Machine, i: Instruction): void {
  writeRm8(m, i, swapped(m.g32[i.reg + 1]!), swapped(m.g32[i.reg]!));
}

/** CDQE. */
export function cbw(m: Machine): void {
  m.g32[1] = m.g32[0]! >> 31;
}

/** CQO. */
export function cwd(m: Machine): void {
  const sign = m.g32[1]! >> 31;
  writeRegister8(m, 2 * RDX, sign, sign);
}

/** CMPXCHG16B: RDX:RAX against 16 aligned bytes; changes ZF only. */
export function cmpxchg16b(m: Machine, i: Instruction): void {
  const offset = effectiveAddress(m, i);
  if (((m.bases[i.segment]! + offset) & 15) !== 0) m.fault(GP, 0);
  const linear = probeStore16(m, i.segment, offset);
  const above = further(m, linear, 8);
  const g = m.g32;
  const [a, aHigh] = [loadLinear8(m, linear), m.high];
  const [d, dHigh] = [loadLinear8(m, above), m.high];
  const equal = a === g[2 * RAX] && aHigh === g[2 * RAX + 1] && d === g[2 * RDX] && dHigh === g[2 * RDX + 1];
  const read: Pair = [signed64(a, aHigh), signed64(d, dHigh)];
  const next: Pair = equal
    ? [signed64(g[2 * RBX]!, g[2 * RBX + 1]!), signed64(g[2 * RCX]!, g[2 * RCX + 1]!)]
    : read;
  if (!m.locked || !replacePair(m, linear, read, next)) {
    storeLinear8(m, linear, lowOf(next[0]), highOf(next[0]));
    storeLinear8(m, above, lowOf(next[1]), highOf(next[1]));
  }
  if (!equal) {
    writeRegister8(m, 2 * RAX, a, aHigh);
    writeRegister8(m, 2 * RDX, d, dHigh);
  }
  setZero(m, equal);
}
