/** Integers in lanes. */
import type { Machine } from '../machine.ts';
import type { Operation } from './operands.ts';

export type Lane = (a: number, b: number) => number;

/** A view of the registers whose lanes an instruction works on. */
export type View = (m: Machine) => { [index: number]: number };
export const u8: View = (m) => m.x8;
export const i8: View = (m) => m.xs8;
export const u16: View = (m) => m.x16;
export const i16: View = (m) => m.xs16;
export const i32: View = (m) => m.x32;

/** Each lane of a register with the same one of the other. */
export function lanes(view: View, count: number, lane: Lane): Operation {
  return (m, toRegister, fromRegister) => {
    const [to, from] = [toRegister * count, fromRegister * count];
    const values = view(m);
    for (let n = 0; n < count; n += 1) values[to + n] = lane(values[to + n]!, values[from + n]!);
  };
}

export const between = (low: number, value: number, high: number): number =>
  value < low ? low : value > high ? high : value;
const sum: Lane = (a, b) => a + b;
const difference: Lane = (a, b) => a - b;
const same: Lane = (a, b) => (a === b ? -1 : 0);
const greater: Lane = (a, b) => (a > b ? -1 : 0);
export const smaller: Lane = (a, b) => Math.min(a, b);
export const larger: Lane = (a, b) => Math.max(a, b);
const average: Lane = (a, b) => (a + b + 1) >> 1;
const saturating =
  (lane: Lane, low: number, high: number): Lane =>
  (a, b) =>
    between(low, lane(a, b), high);

/** 64 bits in two words. */
export function quads(combine: (a: bigint, b: bigint) => bigint): Operation {
  return (m, to, from) => {
    for (let n = 0; n < 2; n += 1) m.x64[2 * to + n] = combine(m.x64[2 * to + n]!, m.x64[2 * from + n]!);
  };
}

/** PMULUDQ: the lower words of both halves. */
const multiplyQuads = quads((a, b) => BigInt.asUintN(32, a) * BigInt.asUintN(32, b));

/** PMADDWD: products of neighbours, added. */
const multiplyAdd: Operation = (m, toRegister, fromRegister) => {
  const [to, from] = [8 * toRegister, 8 * fromRegister];
  for (let n = 0; n < 4; n += 1)
    m.x32[4 * toRegister + n] =
      m.xs16[to + 2 * n]! * m.xs16[from + 2 * n]! + m.xs16[to + 2 * n + 1]! * m.xs16[from + 2 * n + 1]!;
};

/** PSADBW: sums of the distances in each half. */
const distances: Operation = (m, to, from) => {
  const sums = [0, 8].map((half) => {
    let total = 0;
    for (let n = half; n < half + 8; n += 1) total += Math.abs(m.x8[16 * to + n]! - m.x8[16 * from + n]!);
    return total;
  });
  m.x32.set([sums[0]!, 0, sums[1]!, 0], 4 * to);
};

type Shift = (value: bigint, count: bigint, bits: bigint) => bigint;
const left: Shift = (value, count) => value << count;
const right: Shift = (value, count) => value >> count;
const rightSigned: Shift = (value, count, bits) =>
  BigInt.asIntN(Number(bits), value) >> (count < bits ? count : bits - 1n);

function shiftLanes(m: Machine, register: number, bytes: number, shift: Shift, count: bigint): void {
  const bits = BigInt(8 * bytes);
  const perQuad = 8 / bytes;
  for (let n = 0; n < 2; n += 1) {
    const whole = m.x64[2 * register + n]!;
    let result = 0n;
    for (let lane = 0; lane < perQuad; lane += 1) {
      const at = BigInt(lane) * bits;
      const value = BigInt.asUintN(8 * bytes, whole >> at);
      const gone = count >= bits && shift !== rightSigned;
      result |= gone ? 0n : BigInt.asUintN(8 * bytes, shift(value, count, bits)) << at;
    }
    m.x64[2 * register + n] = result;
  }
}

/** By the lower 64 bits of the source. */
function shifted(bytes: number, shift: Shift): Operation {
  return (m, to, from) => shiftLanes(m, to, bytes, shift, m.x64[2 * from]!);
}

/** By an immediate. */
function shiftedBy(bytes: number, shift: Shift): Operation {
  return (m, to, _, imm) => shiftLanes(m, to, bytes, shift, BigInt(imm));
}

/** PSLLDQ and PSRLDQ, by bytes. */
function shiftedBytes(sign: number): Operation {
  return (m, to, _, imm) => {
    const at = 16 * to;
    const before = m.x8.slice(at, at + 16);
    for (let n = 0; n < 16; n += 1) m.x8[at + n] = before[n - sign * Math.min(imm, 16)] ?? 0;
  };
}

/** By the opcode behind 66 0F and ModRM.reg: of the register that the rm operand is. */
export const shiftGroups: Readonly<Record<number, Readonly<Record<number, Operation>>>> = {
  113: { 2: shiftedBy(2, right), 4: shiftedBy(2, rightSigned), 6: shiftedBy(2, left) },
  114: { 2: shiftedBy(4, right), 4: shiftedBy(4, rightSigned), 6: shiftedBy(4, left) },
  115: { 2: shiftedBy(8, right), 3: shiftedBytes(-1), 6: shiftedBy(8, left), 7: shiftedBytes(1) },
};

/** By the opcode behind 66 0F. */
export const packed: Readonly<Record<number, Operation>> = {
  100: lanes(i8, 16, greater),
  101: lanes(i16, 8, greater),
  102: lanes(i32, 4, greater),
  116: lanes(u8, 16, same),
  117: lanes(u16, 8, same),
  118: lanes(i32, 4, same),
  209: shifted(2, right),
  210: shifted(4, right),
  211: shifted(8, right),
  212: quads((a, b) => a + b),
  213: lanes(i16, 8, (a, b) => a * b),
  216: lanes(u8, 16, saturating(difference, 0, 255)),
  217: lanes(u16, 8, saturating(difference, 0, 65535)),
  218: lanes(u8, 16, smaller),
  219: lanes(i32, 4, (a, b) => a & b),
  220: lanes(u8, 16, saturating(sum, 0, 255)),
  221: lanes(u16, 8, saturating(sum, 0, 65535)),
  222: lanes(u8, 16, larger),
  223: lanes(i32, 4, (a, b) => ~a & b),
  224: lanes(u8, 16, average),
  225: shifted(2, rightSigned),
  226: shifted(4, rightSigned),
  227: lanes(u16, 8, average),
  228: lanes(u16, 8, (a, b) => (Math.imul(a, b) >>> 16) | 0),
  229: lanes(i16, 8, (a, b) => (a * b) >> 16),
  232: lanes(i8, 16, saturating(difference, -128, 127)),
  233: lanes(i16, 8, saturating(difference, -32768, 32767)),
  234: lanes(i16, 8, smaller),
  235: lanes(i32, 4, (a, b) => a | b),
  236: lanes(i8, 16, saturating(sum, -128, 127)),
  237: lanes(i16, 8, saturating(sum, -32768, 32767)),
  238: lanes(i16, 8, larger),
  239: lanes(i32, 4, (a, b) => a ^ b),
  241: shifted(2, left),
  242: shifted(4, left),
  243: shifted(8, left),
  244: multiplyQuads,
  245: multiplyAdd,
  246: distances,
  248: lanes(u8, 16, difference),
  249: lanes(u16, 8, difference),
  250: lanes(i32, 4, difference),
  251: quads((a, b) => a - b),
  252: lanes(u8, 16, sum),
  253: lanes(u16, 8, sum),
  254: lanes(i32, 4, sum),
};
