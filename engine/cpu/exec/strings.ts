/** MOVS, CMPS, STOS, LODS, SCAS. With REP a bounded number of elements an execution: see `REP_CHUNK`. */

import { subtract8 } from '../exec64/alu.ts';
import { DF, isZero } from '../flags.ts';
import { type Instruction, REP_NONE, REPE } from '../instruction.ts';
import { ES, type Machine, RCX, RDI, RSI } from '../machine.ts';
import { load, store } from '../memory.ts';
import { readRegister, writeRegister } from '../operands.ts';
import { highHalf, joined, load8, lowHalf, store8, writeRegister8 } from '../wide-operands.ts';
import { subtract } from './alu.ts';

export const MOVS = 0;
export const CMPS = 1;
export const STOS = 2;
export const LODS = 3;
export const SCAS = 4;

/**
 * How many instructions a REP counts as depends on this alone, not on what is decoded: guest time repeats exactly.
 * A repeated instruction is left, with RIP still on it, after so many elements, so that no run takes for ever.
 */
const REP_CHUNK = 4096;

/** An index or counter register cut to the address size. */
export function indexRegister(m: Machine, r: number, i: Instruction): number {
  if (i.long !== 0) return joined(m.g32[2 * r]!, m.g32[2 * r + 1]!);
  return (m.g32[2 * r]! & i.addressMask) >>> 0;
}

function setIndexRegister(m: Machine, r: number, i: Instruction, value: number): void {
  if (i.long !== 0) writeRegister8(m, 2 * r, lowHalf(value), highHalf(value));
  else if (i.addressMask === -1) writeRegister(m, 2 * r, 4, value);
  else m.g16[4 * r] = value;
}

const step = (m: Machine, i: Instruction): number => ((m.flags & DF) !== 0 ? -i.size : i.size);

/** An element of 8 bytes; as `element`. */
function element8(m: Machine, i: Instruction): void {
  switch (i.kind) {
    case MOVS: {
      const low = load8(m, i.segment, indexRegister(m, RSI, i));
      store8(m, ES, indexRegister(m, RDI, i), low, m.high);
      advance(m, i, RSI);
      advance(m, i, RDI);
      return;
    }
    case CMPS: {
      const low = load8(m, i.segment, indexRegister(m, RSI, i));
      const high = m.high;
      const other = load8(m, ES, indexRegister(m, RDI, i));
      subtract8(m, low, high, other, m.high);
      advance(m, i, RSI);
      advance(m, i, RDI);
      return;
    }
    case STOS:
      store8(m, ES, indexRegister(m, RDI, i), m.g32[0]!, m.g32[1]!);
      advance(m, i, RDI);
      return;
    case LODS: {
      const low = load8(m, i.segment, indexRegister(m, RSI, i));
      writeRegister8(m, 0, low, m.high);
      advance(m, i, RSI);
      return;
    }
    default: {
      const low = load8(m, ES, indexRegister(m, RDI, i));
      subtract8(m, m.g32[0]!, m.g32[1]!, low, m.high);
      advance(m, i, RDI);
    }
  }
}

/** One element: what can fault comes before the registers change. */
function element(m: Machine, i: Instruction): void {
  const size = i.size;
  if (size === 8) {
    element8(m, i);
    return;
  }
  switch (i.kind) {
    case MOVS: {
      const value = load(m, i.segment, indexRegister(m, RSI, i), size);
      store(m, ES, indexRegister(m, RDI, i), size, value);
      advance(m, i, RSI);
      advance(m, i, RDI);
      return;
    }
    case CMPS: {
      const a = load(m, i.segment, indexRegister(m, RSI, i), size);
      const b = load(m, ES, indexRegister(m, RDI, i), size);
      subtract(m, a, b, 0, size);
      advance(m, i, RSI);
      advance(m, i, RDI);
      return;
    }
    case STOS:
      store(m, ES, indexRegister(m, RDI, i), size, readRegister(m, 0, size));
      advance(m, i, RDI);
      return;
    case LODS:
      writeRegister(m, 0, size, load(m, i.segment, indexRegister(m, RSI, i), size));
      advance(m, i, RSI);
      return;
    default:
      subtract(m, readRegister(m, 0, size), load(m, ES, indexRegister(m, RDI, i), size), 0, size);
      advance(m, i, RDI);
  }
}

function advance(m: Machine, i: Instruction, r: number): void {
  setIndexRegister(m, r, i, indexRegister(m, r, i) + step(m, i));
}

export function string(m: Machine, i: Instruction): void {
  if (i.rep === REP_NONE) {
    element(m, i);
    return;
  }
  const compares = i.kind === CMPS || i.kind === SCAS;
  for (let n = 0; n < REP_CHUNK; n += 1) {
    const left = indexRegister(m, RCX, i);
    if (left === 0) return;
    element(m, i);
    setIndexRegister(m, RCX, i, left - 1);
    if (compares && isZero(m) !== (i.rep === REPE)) return;
    if (left === 1) return;
  }
  m.ip -= i.length;
}
