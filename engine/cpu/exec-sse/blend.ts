/** Lanes of one register or of the other, and between registers of both kinds (SSE4.1). */
import { type Instruction, MEMORY } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { load, store } from '../memory.ts';
import { effectiveAddress, readRm, writeRegister, writeRm } from '../operands.ts';
import { readRm8, writeRm8 } from '../wide-operands.ts';
import { type Operation, ready, scalarSource } from './operands.ts';

function copyLane(m: Machine, bytes: number, to: number, from: number, lane: number): void {
  for (let n = lane * bytes; n < (lane + 1) * bytes; n += 1) m.x8[16 * to + n] = m.x8[16 * from + n]!;
}

/** PBLENDVB, BLENDVPS, BLENDVPD: where the lanes of XMM0 have their upper bit set. A lane is chosen before it is written. */
export const blendByMask =
  (bytes: 1 | 4 | 8): Operation =>
  (m, to, from) => {
    for (let lane = 0; lane < 16 / bytes; lane += 1)
      if ((m.x8[(lane + 1) * bytes - 1]! & 0x80) !== 0) copyLane(m, bytes, to, from, lane);
  };

/** BLENDPS, BLENDPD, PBLENDW. */
export const blend =
  (bytes: 2 | 4 | 8): Operation =>
  (m, to, from, imm) => {
    for (let lane = 0; lane < 16 / bytes; lane += 1)
      if (((imm >> lane) & 1) !== 0) copyLane(m, bytes, to, from, lane);
  };

/** PINSRB, and PINSRD or PINSRQ. */
export function insertByte(m: Machine, i: Instruction): void {
  ready(m);
  const value = i.rm === MEMORY ? load(m, i.segment, effectiveAddress(m, i), 1) : m.g32[i.rm]!;
  m.x8[16 * i.reg + (i.imm & 15)] = value;
}

export function insertWide(m: Machine, i: Instruction): void {
  ready(m);
  if (i.size === 8) {
    const at = 4 * i.reg + 2 * (i.imm & 1);
    m.x32[at] = readRm8(m, i);
    m.x32[at + 1] = m.high;
  } else m.x32[4 * i.reg + (i.imm & 3)] = readRm(m, i);
}

/** PEXTRB and PEXTRW, of `kind` bytes; PEXTRD or PEXTRQ; EXTRACTPS. */
export function extract(m: Machine, i: Instruction): void {
  ready(m);
  const value = i.kind === 1 ? m.x8[16 * i.reg + (i.imm & 15)]! : m.x16[8 * i.reg + (i.imm & 7)]!;
  if (i.rm === MEMORY) store(m, i.segment, effectiveAddress(m, i), i.kind, value);
  else writeRegister(m, i.rm, 4, value);
}

export function extractWide(m: Machine, i: Instruction): void {
  ready(m);
  const at = 4 * i.reg + 2 * (i.imm & 1);
  if (i.size === 8) writeRm8(m, i, m.x32[at]!, m.x32[at + 1]!);
  else extractSingle(m, i);
}

export function extractSingle(m: Machine, i: Instruction): void {
  ready(m);
  writeRm(m, i, m.x32[4 * i.reg + (i.imm & 3)]!);
}

/** INSERTPS: one lane of the source, or 4 bytes of memory, into one of the destination; zeros where the immediate says so. */
export function insertSingle(m: Machine, i: Instruction): void {
  const from = 4 * scalarSource(m, i, 4) + (i.rm === MEMORY ? 0 : i.imm >> 6);
  m.x32[4 * i.reg + ((i.imm >> 4) & 3)] = m.x32[from]!;
  for (let n = 0; n < 4; n += 1) if (((i.imm >> n) & 1) !== 0) m.x32[4 * i.reg + n] = 0;
}

/** MOVDDUP, of 8 bytes of memory. */
export function duplicateLow(m: Machine, i: Instruction): void {
  const from = 2 * scalarSource(m, i, 8);
  m.x64[2 * i.reg + 1] = m.x64[from]!;
  m.x64[2 * i.reg] = m.x64[from]!;
}

/** MOVSLDUP and MOVSHDUP: the even singles twice, or the odd ones. */
export const duplicateSingles =
  (odd: 0 | 1): Operation =>
  (m, to, from) => {
    for (let n = 0; n < 4; n += 2) {
      const value = m.x32[4 * from + n + odd]!;
      m.x32[4 * to + n] = value;
      m.x32[4 * to + n + 1] = value;
    }
  };
