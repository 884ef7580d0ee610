/** System registers in 64-bit mode: control and debug registers of 8 bytes, table registers of 10. */
import {
  debugRegister,
  needControl,
  needDebug,
  needLevel0,
  readControl,
  writeControl,
  writeDebug,
} from '../exec/system.ts';
import { type TableRegister, tableInstructions } from '../exec/tables.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { CANONICAL_END, GP, type Machine, RAX, RBX } from '../machine.ts';
import { load, probeStore, store } from '../memory.ts';
import { effectiveAddress } from '../operands.ts';
import { highHalf, joined, load8, lowHalf, store8, writeRegister8 } from '../wide-operands.ts';

export function movFromCr(m: Machine, i: Instruction): void {
  needControl(m, i.reg);
  const value = readControl(m, i.reg);
  writeRegister8(m, i.rm, lowHalf(value), highHalf(value));
}

export function movToCr(m: Machine, i: Instruction): void {
  needControl(m, i.reg);
  writeControl(m, i.reg, joined(m.g32[i.rm]!, m.g32[i.rm + 1]!));
}

export function movFromDr(m: Machine, i: Instruction): void {
  needDebug(m, i.reg);
  const value = m.dr[debugRegister(m, i.reg)]!;
  writeRegister8(m, i.rm, lowHalf(value), highHalf(value));
}

/** DR6 and DR7 have no upper half. */
export function movToDr(m: Machine, i: Instruction): void {
  needDebug(m, i.reg);
  const number = debugRegister(m, i.reg);
  if (number >= 6 && m.g32[i.rm + 1] !== 0) m.fault(GP, 0);
  writeDebug(m, number, joined(m.g32[i.rm]!, m.g32[i.rm + 1]!));
}

function storeTable(m: Machine, i: Instruction, base: number, limit: number): void {
  const at = effectiveAddress(m, i);
  probeStore(m, i.segment, at, 10);
  store(m, i.segment, at, 2, limit);
  store8(m, i.segment, at + 2, lowHalf(base), highHalf(base));
}

function loadTable(m: Machine, i: Instruction): TableRegister {
  needLevel0(m);
  const at = effectiveAddress(m, i);
  const limit = load(m, i.segment, at, 2);
  const low = load8(m, i.segment, at + 2);
  const base = joined(low, m.high);
  if (!(base < CANONICAL_END && base >= -CANONICAL_END)) m.fault(GP, 0);
  return { limit, base };
}

export const { sgdt, sidt, lgdt, lidt } = tableInstructions(storeTable, loadTable);

export function smsw(m: Machine, i: Instruction): void {
  // CR0 has no upper half: with 32 bits and with 64 it is the same.
  if (i.rm !== MEMORY && i.size === 2) m.g16[i.rm] = m.cr0 & 0xffff;
  else if (i.rm !== MEMORY) writeRegister8(m, i.rm, m.cr0 | 0, 0);
  else store(m, i.segment, effectiveAddress(m, i), 2, m.cr0 & 0xffff);
}

export function xlat(m: Machine, i: Instruction): void {
  const offset = joined(m.g32[2 * RBX]!, m.g32[2 * RBX + 1]!) + m.g8[8 * RAX]!;
  m.g8[8 * RAX] = load(m, i.segment, i.long === 0 ? offset >>> 0 : offset, 1);
}
