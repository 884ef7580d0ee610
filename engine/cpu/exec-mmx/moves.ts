/** Moves between MMX registers, memory, general and XMM registers; EMMS. */
import * as sse from '../exec-sse/moves.ts';
import { ready as sseReady, toMemory, registerOf as xmmOf } from '../exec-sse/operands.ts';
import { type Instruction, MEMORY } from '../instruction.ts';
import { type Machine, UD, XMM_SCRATCH, XMM_WORK } from '../machine.ts';
import { probeStore } from '../memory.ts';
import { effectiveAddress, readRm, writeRegister, writeRm } from '../operands.ts';
import { readRm8, writeRegister8, writeRm8 } from '../wide-operands.ts';
import { topOf } from '../x87/unit.ts';
import { begin, numberOf, put, ready, registerOf, source, take } from './operands.ts';

/** MOVQ. */
export function load(m: Machine, i: Instruction): void {
  source(m, i, 8);
  put(m, numberOf(i), XMM_SCRATCH);
}

/** Also MOVNTQ, to memory alone. */
export function store(m: Machine, i: Instruction): void {
  ready(m, i);
  if (i.rm === MEMORY) probeStore(m, i.segment, effectiveAddress(m, i), 8);
  begin(m);
  take(m, XMM_WORK, numberOf(i));
  if (i.rm === MEMORY) toMemory(m, i, XMM_WORK, 0, 2);
  else put(m, registerOf(i), XMM_WORK);
}

/** MOVD and MOVQ from a general register or memory. */
export function loadGeneral(m: Machine, i: Instruction): void {
  ready(m, i);
  const low = i.size === 8 ? readRm8(m, i) : readRm(m, i);
  const high = i.size === 8 ? m.high : 0;
  begin(m);
  m.x32.set([low, high], 4 * XMM_WORK);
  put(m, numberOf(i), XMM_WORK);
}

export function storeGeneral(m: Machine, i: Instruction): void {
  ready(m, i);
  if (i.rm === MEMORY) probeStore(m, i.segment, effectiveAddress(m, i), i.size);
  begin(m);
  const at = 4 * numberOf(i);
  if (i.size === 8) writeRm8(m, i, m.fpStack[at]!, m.fpStack[at + 1]!);
  else writeRm(m, i, m.fpStack[at]!);
}

/** MOVQ2DQ and MOVDQ2Q. */
export function toVector(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  sseReady(m);
  source(m, i, 8);
  m.x32.copyWithin(4 * i.reg, 4 * XMM_SCRATCH, 4 * XMM_SCRATCH + 4);
}

export function fromVector(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  sseReady(m);
  ready(m, i);
  begin(m);
  put(m, numberOf(i), xmmOf(i));
}

/** MASKMOVQ. */
export function storeMasked(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  ready(m, i);
  // The top moves once nothing can stop the stores.
  const top = topOf(m);
  take(m, XMM_WORK, (numberOf(i) - top) & 7);
  take(m, XMM_SCRATCH, (registerOf(i) - top) & 7);
  sse.storeMarked(m, i, XMM_WORK, XMM_SCRATCH, 8);
  begin(m);
}

/** PMOVMSKB. */
export function signs(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  source(m, i, 8);
  let mask = 0;
  for (let n = 0; n < 8; n += 1) mask |= (m.x8[16 * XMM_SCRATCH + n]! >> 7) << n;
  writeRegister(m, 2 * i.reg, 4, mask);
}

/** PINSRW and PEXTRW. */
export function insertWord(m: Machine, i: Instruction): void {
  ready(m, i);
  const word = i.rm === MEMORY ? readRm(m, i) : m.g32[i.rm / 2]!;
  begin(m);
  take(m, XMM_WORK, numberOf(i));
  m.x16[8 * XMM_WORK + (i.imm & 3)] = word;
  put(m, numberOf(i), XMM_WORK);
}

export function extractWord(m: Machine, i: Instruction): void {
  if (i.rm === MEMORY) m.fault(UD);
  source(m, i, 8);
  writeRegister8(m, 2 * i.reg, m.x16[8 * XMM_SCRATCH + (i.imm & 3)]!, 0);
}

/** All registers of the x87 unit are empty. */
export function empty(m: Machine, i: Instruction): void {
  ready(m, i);
  begin(m);
  m.fpTags = 0;
}
