/** PCMPESTRI and its like: two registers compared as strings of bytes or words (Intel SDM 1, 12.10.4; SDM 2, 4.1). */
import { CF, OF, SF, setArithmetic, ZF } from '../flags.ts';
import { type Execute, type Instruction, MEMORY } from '../instruction.ts';
import { type Machine, RAX, RCX, RDX } from '../machine.ts';
import { writeRegister } from '../operands.ts';
import { fromMemory, ready, registerOf } from './operands.ts';
import { i8, i16, u8, u16 } from './packed.ts';

/** Of the immediate: which lanes, how they are compared, what becomes of the result. */
const WORDS = 1;
const SIGNED = 2;
const NEGATED = 1;
const MASKED = 2;
/** The last index or a mask of lanes, in place of the first or of a mask of bits. */
const OTHER_OUTPUT = 0x40;

/** The lanes of the first operand and of the second, of the instruction that runs, and how many there are; how many of each are valid. */
const a = new Int32Array(16);
const b = new Int32Array(16);
interface Lengths {
  readonly count: number;
  readonly a: number;
  readonly b: number;
}

/** Where a 0 ends it. */
function implicitLength(lanes: Int32Array, count: number): number {
  for (let n = 0; n < count; n += 1) if (lanes[n] === 0) return n;
  return count;
}

/** The number in a register, without its sign; no more than there are lanes. */
function explicitLength(m: Machine, i: Instruction, register: number, count: number): number {
  const low = m.g32[2 * register]!;
  const value = i.size === 8 ? m.g32[2 * register + 1]! * 0x1_0000_0000 + (low >>> 0) : low;
  return Math.min(count, Math.abs(value));
}

/** How lanes are compared, by bits 2 and 3 of the immediate: any of a set, in a range, at the same place, a string in a string. */
const comparisons: readonly ((length: Lengths, at: number) => boolean)[] = [
  (length, at) => {
    if (at >= length.b) return false;
    for (let n = 0; n < length.a; n += 1) if (a[n] === b[at]) return true;
    return false;
  },
  (length, at) => {
    if (at >= length.b) return false;
    for (let n = 0; n + 1 < length.a; n += 2) if (a[n]! <= b[at]! && b[at]! <= a[n + 1]!) return true;
    return false;
  },
  (length, at) => (at < length.a && at < length.b ? a[at] === b[at] : at < length.a === at < length.b),
  (length, at) => {
    for (let n = 0; n < length.a && at + n < length.count; n += 1)
      if (at + n >= length.b || a[n] !== b[at + n]) return false;
    return true;
  },
];

/** A bit for each lane. */
function resultOf(length: Lengths, imm: number): number {
  const compare = comparisons[(imm >> 2) & 3]!;
  let result = 0;
  for (let at = 0; at < length.count; at += 1) if (compare(length, at)) result |= 1 << at;
  const polarity = (imm >> 4) & 3;
  if ((polarity & NEGATED) === 0) return result;
  return result ^ ((1 << ((polarity & MASKED) !== 0 ? length.b : length.count)) - 1);
}

function putIndex(m: Machine, result: number, count: number, last: boolean): void {
  const index = result === 0 ? count : 31 - Math.clz32(last ? result : result & -result);
  writeRegister(m, 2 * RCX, 4, index);
}

function putMask(m: Machine, result: number, count: number, lanes: boolean): void {
  m.x32.fill(0, 0, 4);
  if (!lanes) m.x32[0] = result;
  else for (let n = 0; n < 16; n += 1) m.x8[n] = ((result >> ((n * count) >> 4)) & 1) * 0xff;
}

/** `explicit`: lengths stand in EAX and EDX; `mask`: the result goes to XMM0, else its index to ECX. */
export function compareStrings(explicit: boolean, mask: boolean): Execute {
  return (m: Machine, i: Instruction): void => {
    ready(m);
    const from = i.rm === MEMORY ? fromMemory(m, i, 16) : registerOf(i);
    const words = (i.imm & WORDS) !== 0;
    const count = words ? 8 : 16;
    const view = words ? ((i.imm & SIGNED) !== 0 ? i16 : u16) : (i.imm & SIGNED) !== 0 ? i8 : u8;
    const lanes = view(m);
    for (let n = 0; n < count; n += 1) {
      a[n] = lanes[count * i.reg + n]!;
      b[n] = lanes[count * from + n]!;
    }
    const length = {
      count,
      a: explicit ? explicitLength(m, i, RAX, count) : implicitLength(a, count),
      b: explicit ? explicitLength(m, i, RDX, count) : implicitLength(b, count),
    };
    const result = resultOf(length, i.imm);
    const other = (i.imm & OTHER_OUTPUT) !== 0;
    if (mask) putMask(m, result, count, other);
    else putIndex(m, result, count, other);
    setArithmetic(
      m,
      (result !== 0 ? CF : 0) |
        (length.b < count ? ZF : 0) |
        (length.a < count ? SF : 0) |
        ((result & 1) !== 0 ? OF : 0),
    );
  };
}
