/** Moves of whole registers, of parts of them, and between them and the general registers. */
import { indexRegister } from '../exec/strings.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { type Machine, RDI, UD } from '../machine.ts';
import { probeStore, store as storeBytes } from '../memory.ts';
import { readRm, writeRegister, writeRm } from '../operands.ts';
import { readRm8, writeRegister8, writeRm8 } from '../wide-operands.ts';
import { copy, fromMemory, ready, registerOf, source, toMemory } from './operands.ts';

/** MOVUPS, MOVUPD, MOVDQU. */
export function load(m: Machine, i: Instruction): void {
  ready(m);
  copy(m, i.reg, i.rm === MEMORY ? fromMemory(m, i, 16) : registerOf(i));
}

export function store(m: Machine, i: Instruction): void {
  ready(m);
  if (i.rm === MEMORY) toMemory(m, i, i.reg, 0, 4);
  else copy(m, registerOf(i), i.reg);
}

/** MOVAPS, MOVAPD, MOVDQA. */
export function loadAligned(m: Machine, i: Instruction): void {
  copy(m, i.reg, source(m, i));
}

/** Also the stores that pass by the caches. */
export function storeAligned(m: Machine, i: Instruction): void {
  ready(m);
  if (i.rm === MEMORY) toMemory(m, i, i.reg, 0, 4, true);
  else copy(m, registerOf(i), i.reg);
}

/** MOVSS and MOVSD, of `kind` words: memory clears what is above them, a register leaves it. */
export function loadScalar(m: Machine, i: Instruction): void {
  ready(m);
  if (i.rm === MEMORY) copy(m, i.reg, fromMemory(m, i, 4 * i.kind));
  else copy(m, i.reg, registerOf(i), i.kind);
}

export function storeScalar(m: Machine, i: Instruction): void {
  ready(m);
  if (i.rm === MEMORY) toMemory(m, i, i.reg, 0, i.kind);
  else copy(m, registerOf(i), i.reg, i.kind);
}

/** MOVLPS and MOVLPD, and between registers MOVHLPS. */
export function loadLow(m: Machine, i: Instruction): void {
  ready(m);
  if (i.rm === MEMORY) copy(m, i.reg, fromMemory(m, i, 8), 2);
  else if (i.kind === 1) copy(m, i.reg, registerOf(i), 2, 0, 2);
  else m.fault(UD);
}

/** MOVHPS and MOVHPD, and between registers MOVLHPS. */
export function loadHigh(m: Machine, i: Instruction): void {
  ready(m);
  if (i.rm === MEMORY) copy(m, i.reg, fromMemory(m, i, 8), 2, 2);
  else if (i.kind === 1) copy(m, i.reg, registerOf(i), 2, 2);
  else m.fault(UD);
}

export function storeLow(m: Machine, i: Instruction): void {
  ready(m);
  toMemory(m, i, i.reg, 0, 2);
}

export function storeHigh(m: Machine, i: Instruction): void {
  ready(m);
  toMemory(m, i, i.reg, 2, 2);
}

/** MOVQ from a register or 8 bytes of memory: what is above becomes 0. */
export function loadQuad(m: Machine, i: Instruction): void {
  ready(m);
  copy(m, i.reg, i.rm === MEMORY ? fromMemory(m, i, 8) : registerOf(i), 2);
  m.x32[4 * i.reg + 2] = 0;
  m.x32[4 * i.reg + 3] = 0;
}

export function storeQuad(m: Machine, i: Instruction): void {
  ready(m);
  if (i.rm === MEMORY) {
    toMemory(m, i, i.reg, 0, 2);
    return;
  }
  const to = registerOf(i);
  copy(m, to, i.reg, 2);
  m.x32[4 * to + 2] = 0;
  m.x32[4 * to + 3] = 0;
}

/** MOVD and MOVQ from a general register or memory. */
export function loadGeneral(m: Machine, i: Instruction): void {
  ready(m);
  const wide = i.size === 8;
  const low = wide ? readRm8(m, i) : readRm(m, i);
  m.x32.fill(0, 4 * i.reg, 4 * i.reg + 4);
  m.x32[4 * i.reg] = low;
  if (wide) m.x32[4 * i.reg + 1] = m.high;
}

export function storeGeneral(m: Machine, i: Instruction): void {
  ready(m);
  if (i.size === 8) writeRm8(m, i, m.x32[4 * i.reg]!, m.x32[4 * i.reg + 1]!);
  else writeRm(m, i, m.x32[4 * i.reg]!);
}

/** MOVNTI: a plain store here. */
export function storeInteger(m: Machine, i: Instruction): void {
  if (i.size === 8) writeRm8(m, i, m.g32[i.reg]!, m.g32[i.reg + 1]!);
  else writeRm(m, i, m.g32[i.reg]!);
}

/** MASKMOVDQU: the bytes that the other register marks, to DS:rDI; nothing is written unless all can be. */
export function storeMasked(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  ready(m);
  storeMarked(m, i, i.reg, registerOf(i), 16);
}

/** Of the first `count` bytes. */
export function storeMarked(m: Machine, i: Instruction, register: number, mask: number, count: number): void {
  const offset = indexRegister(m, RDI, i);
  const marked = Array.from({ length: count }, (_, n) => n).filter(
    (n) => (m.x8[16 * mask + n]! & 0x80) !== 0,
  );
  for (const n of marked) probeStore(m, i.segment, offset + n, 1);
  for (const n of marked) storeBytes(m, i.segment, offset + n, 1, m.x8[16 * register + n]!);
}

/** The signs of the lanes of `kind` bytes as a number: MOVMSKPS, MOVMSKPD, PMOVMSKB. */
export function signs(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  ready(m);
  const from = 16 * registerOf(i);
  let mask = 0;
  for (let at = i.kind - 1, bit = 0; at < 16; at += i.kind, bit += 1) mask |= (m.x8[from + at]! >> 7) << bit;
  writeRegister(m, 2 * i.reg, 4, mask);
}

/** PINSRW and PEXTRW. */
export function insertWord(m: Machine, i: Instruction): void {
  ready(m);
  m.x16[8 * i.reg + (i.imm & 7)] = i.rm === MEMORY ? readRm(m, i) : m.g32[i.rm / 2]!;
}

export function extractWord(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  ready(m);
  writeRegister8(m, 2 * i.reg, m.x16[8 * registerOf(i) + (i.imm & 7)]!, 0);
}
