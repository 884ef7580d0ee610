/** What SSSE3 and SSE4 add to packed.ts: neighbours, signs, products, comparisons of integers in lanes. */
import { CF, setArithmetic, ZF } from '../flags.ts';
import type { Execute, Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { type Operation, scalarSource, source } from './operands.ts';
import { between, i8, i16, i32, type Lane, lanes, larger, quads, smaller, u16, type View } from './packed.ts';
import { bytesOf, packWords, shuffleBytes } from './shuffle.ts';

/** Neighbours of the destination, then those of the source. */
function neighbours(view: View, count: number, combine: Lane): Operation {
  return (m, to, from) => {
    const values = view(m);
    const results = [to, from].flatMap((register) =>
      Array.from({ length: count / 2 }, (_, n) =>
        combine(values[count * register + 2 * n]!, values[count * register + 2 * n + 1]!),
      ),
    );
    results.forEach((value, n) => {
      values[count * to + n] = value;
    });
  };
}

const saturated = (value: number): number => between(-32768, value, 32767);
/** PSIGN: the other's sign turns it, 0 makes it 0. */
const signedBy: Lane = (a, b) => (b < 0 ? -a : b === 0 ? 0 : a);
const magnitude: Lane = (_, b) => Math.abs(b);

/** PMADDUBSW: unsigned bytes by signed ones, neighbours added. */
const multiplyAddBytes: Operation = (m, to, from) => {
  const product = (n: number): number => m.x8[16 * to + n]! * m.xs8[16 * from + n]!;
  for (let n = 0; n < 8; n += 1) m.xs16[8 * to + n] = saturated(product(2 * n) + product(2 * n + 1));
};

/** By the opcode behind 0F 38: with XMM and with MMX registers. */
export const ssse3: Readonly<Record<number, Operation>> = {
  0: shuffleBytes,
  1: neighbours(i16, 8, (a, b) => a + b),
  2: neighbours(i32, 4, (a, b) => a + b),
  3: neighbours(i16, 8, (a, b) => saturated(a + b)),
  4: multiplyAddBytes,
  5: neighbours(i16, 8, (a, b) => a - b),
  6: neighbours(i32, 4, (a, b) => a - b),
  7: neighbours(i16, 8, (a, b) => saturated(a - b)),
  8: lanes(i8, 16, signedBy),
  9: lanes(i16, 8, signedBy),
  10: lanes(i32, 4, signedBy),
  11: lanes(i16, 8, (a, b) => (((a * b) >> 14) + 1) >> 1),
  28: lanes(i8, 16, magnitude),
  29: lanes(i16, 8, magnitude),
  30: lanes(i32, 4, magnitude),
};

/** PHMINPOSUW: the smallest word, and where it is first. */
const smallestWord: Operation = (m, to, from) => {
  const words = [...m.x16.subarray(8 * from, 8 * from + 8)];
  const least = words.reduce((a, b) => Math.min(a, b));
  m.x32.set([least | (words.indexOf(least) << 16), 0, 0, 0], 4 * to);
};

/** By the opcode behind 66 0F 38. */
export const sse4: Readonly<Record<number, Operation>> = {
  40: quads((a, b) => BigInt.asIntN(32, a) * BigInt.asIntN(32, b)),
  41: quads((a, b) => (a === b ? -1n : 0n)),
  43: packWords,
  55: quads((a, b) => (BigInt.asIntN(64, a) > BigInt.asIntN(64, b) ? -1n : 0n)),
  56: lanes(i8, 16, smaller),
  57: lanes(i32, 4, smaller),
  58: lanes(u16, 8, smaller),
  59: lanes(i32, 4, (a, b) => smaller(a >>> 0, b >>> 0)),
  60: lanes(i8, 16, larger),
  61: lanes(i32, 4, larger),
  62: lanes(u16, 8, larger),
  63: lanes(i32, 4, (a, b) => larger(a >>> 0, b >>> 0)),
  64: lanes(i32, 4, Math.imul),
  65: smallestWord,
};

/** MPSADBW: distances of 4 bytes of the source from those at each of 8 places of the destination. */
export const distancesOfFour: Operation = (m, to, from, imm) => {
  const [a, b] = bytesOf(m, to, from);
  const [first, block] = [imm & 4, 4 * (imm & 3)];
  for (let n = 0; n < 8; n += 1) {
    let total = 0;
    for (let k = 0; k < 4; k += 1) total += Math.abs(a[first + n + k]! - b[block + k]!);
    m.x16[8 * to + n] = total;
  }
};

/** A view of signed lanes, or of unsigned ones; the wide one takes both. */
interface Widths {
  readonly bytes: 1 | 2 | 4;
  readonly wide: 2 | 4 | 8;
}

function laneOf(m: Machine, bytes: 1 | 2 | 4, lane: number, signs: boolean): number {
  if (bytes === 4) return signs ? m.x32[lane]! : m.x32[lane]! >>> 0;
  if (bytes === 2) return signs ? m.xs16[lane]! : m.x16[lane]!;
  return signs ? m.xs8[lane]! : m.x8[lane]!;
}

/** PMOVSX and PMOVZX: as many lanes as 16 bytes have room for. */
function widen({ bytes, wide }: Widths, signs: boolean): Execute {
  return (m: Machine, i: Instruction): void => {
    const count = 16 / wide;
    const first = (16 / bytes) * scalarSource(m, i, count * bytes);
    const values = Array.from({ length: count }, (_, n) => laneOf(m, bytes, first + n, signs));
    values.forEach((value, n) => {
      if (wide === 2) m.x16[8 * i.reg + n] = value;
      else if (wide === 4) m.x32[4 * i.reg + n] = value;
      else m.x64[2 * i.reg + n] = BigInt(value);
    });
  };
}

/** In the order of the opcodes from 20 on, and from 30 on with zeros in place of signs. */
const WIDTHS: readonly Widths[] = [
  { bytes: 1, wide: 2 },
  { bytes: 1, wide: 4 },
  { bytes: 1, wide: 8 },
  { bytes: 2, wide: 4 },
  { bytes: 2, wide: 8 },
  { bytes: 4, wide: 8 },
];
export const widening = (signs: boolean): readonly Execute[] => WIDTHS.map((widths) => widen(widths, signs));

/** PTEST: whether there are common bits, and whether all bits of the source are in the other. */
export function test(m: Machine, i: Instruction): void {
  const from = 4 * source(m, i);
  let [common, beyond] = [0, 0];
  for (let n = 0; n < 4; n += 1) {
    const [a, b] = [m.x32[4 * i.reg + n]!, m.x32[from + n]!];
    common |= a & b;
    beyond |= ~a & b;
  }
  setArithmetic(m, (common === 0 ? ZF : 0) | (beyond === 0 ? CF : 0));
}
