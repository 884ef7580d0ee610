/** MOVS, CMPS, STOS, LODS, SCAS. With REP a bounded number of elements an execution: see `REP_CHUNK`. */

import { subtract8 } from '../exec64/alu.ts';
import { DF, isZero } from '../flags.ts';
import { PAGE_BYTES } from '../guest-memory.ts';
import { type Instruction, REP_NONE, REPE } from '../instruction.ts';
import { ES, type Machine, RCX, RDI, RSI } from '../machine.ts';
import { load, store } from '../memory.ts';
import { readRegister, writeRegister } from '../operands.ts';
import { isKnown, slotOf } from '../tlb.ts';
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

/** Fewer than these are not worth two views. */
const FEWEST = 8;

/** Where `most` elements from an offset on lie in RAM, as far as its page goes. */
interface Run {
  readonly view: DataView;
  readonly at: number;
  readonly elements: number;
}

/** The elements from `offset` on, in a segment without limits; undefined where each has to be looked at. */
function runOf(
  m: Machine,
  segment: number,
  offset: number,
  size: number,
  most: number,
  access: 'read' | 'write',
): Run | undefined {
  if (m.flat[segment] !== 1 && !m.code64) return undefined;
  const linear = m.flat[segment] === 1 ? offset : m.bases[segment]! + offset;
  const at = linear & (PAGE_BYTES - 1);
  const tags = access === 'read' ? m.readTags : m.writeTags;
  if (!isKnown(tags, linear)) return undefined;
  const view = (access === 'read' ? m.readViews : m.writeViews)[slotOf(linear)]!;
  const elements = Math.min(most, Math.floor((PAGE_BYTES - at) / size));
  return elements < FEWEST ? undefined : { view, at: view.byteOffset + at, elements };
}

/** STOS of many elements: false where they are not aligned. */
function fill(m: Machine, { view: { buffer }, at }: Run, size: number, elements: number): boolean {
  if (at % size !== 0) return false;
  const [low, high] = [m.g32[0]!, m.g32[1]!];
  if (size === 1) new Uint8Array(buffer, at, elements).fill(low);
  else if (size === 2) new Uint16Array(buffer, at, elements).fill(low);
  else if (size === 4) new Int32Array(buffer, at, elements).fill(low);
  else if (low === high) new Int32Array(buffer, at, 2 * elements).fill(low);
  else new BigUint64Array(buffer, at, elements).fill(m.g64[0]!);
  return true;
}

/** MOVS of many elements: false where one of them is the source of another. */
function copy(from: Run, to: Run, bytes: number): boolean {
  const apart = from.at + bytes <= to.at || to.at + bytes <= from.at;
  if (from.view.buffer === to.view.buffer && !apart) return false;
  new Uint8Array(to.view.buffer, to.at, bytes).set(new Uint8Array(from.view.buffer, from.at, bytes));
  return true;
}

/**
 * At most so many elements of REP MOVS or REP STOS at once, upwards in pages that were used before; 0 where they have to be
 * taken one by one.
 */
function many(m: Machine, i: Instruction, most: number): number {
  if ((i.kind !== MOVS && i.kind !== STOS) || (m.flags & DF) !== 0 || (i.long === 0 && i.addressMask !== -1))
    return 0;
  const { size } = i;
  const to = runOf(m, ES, indexRegister(m, RDI, i), size, most, 'write');
  if (to === undefined) return 0;
  let { elements } = to;
  if (i.kind === MOVS) {
    const from = runOf(m, i.segment, indexRegister(m, RSI, i), size, elements, 'read');
    if (from === undefined) return 0;
    elements = from.elements;
    if (!copy(from, to, elements * size)) return 0;
    setIndexRegister(m, RSI, i, indexRegister(m, RSI, i) + elements * size);
  } else if (!fill(m, to, size, elements)) return 0;
  setIndexRegister(m, RDI, i, indexRegister(m, RDI, i) + elements * size);
  return elements;
}

export function string(m: Machine, i: Instruction): void {
  if (i.rep === REP_NONE) {
    element(m, i);
    return;
  }
  const compares = i.kind === CMPS || i.kind === SCAS;
  for (let n = 0; n < REP_CHUNK; ) {
    const left = indexRegister(m, RCX, i);
    if (left === 0) return;
    let done = many(m, i, left < 0 ? REP_CHUNK - n : Math.min(left, REP_CHUNK - n));
    if (done === 0) {
      element(m, i);
      done = 1;
    }
    n += done;
    setIndexRegister(m, RCX, i, left - done);
    if (compares && isZero(m) !== (i.rep === REPE)) return;
    if (left === done) return;
  }
  m.ip -= i.length;
}
