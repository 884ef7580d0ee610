/** Lanes in another order: unpacking, packing with saturation, shuffles by an immediate. */
import type { Execute, Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { source } from './operands.ts';

/** Bytes of a register, apart from it. */
const bytesOf = (m: Machine, register: number): Uint8Array => m.x8.slice(16 * register, 16 * register + 16);

/** Lanes of `bytes` of both operands in turn, of their lower or their upper half. */
function unpack(bytes: number, upper: boolean): Execute {
  return (m: Machine, i: Instruction): void => {
    const b = bytesOf(m, source(m, i));
    const a = bytesOf(m, i.reg);
    const first = upper ? 8 : 0;
    for (let lane = 0; lane < 8 / bytes; lane += 1)
      for (let n = 0; n < bytes; n += 1) {
        const to = 16 * i.reg + 2 * lane * bytes + n;
        m.x8[to] = a[first + lane * bytes + n]!;
        m.x8[to + bytes] = b[first + lane * bytes + n]!;
      }
  };
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

function packWords(low: number, high: number): Execute {
  return (m: Machine, i: Instruction): void => {
    const from = source(m, i);
    const words = [i.reg, from].flatMap((register) => [...m.xs16.subarray(8 * register, 8 * register + 8)]);
    words.forEach((word, n) => {
      m.x8[16 * i.reg + n] = clamp(word, low, high);
    });
  };
}

function packDoubles(m: Machine, i: Instruction): void {
  const from = source(m, i);
  const words = [i.reg, from].flatMap((register) => [...m.x32.subarray(4 * register, 4 * register + 4)]);
  words.forEach((word, n) => {
    m.xs16[8 * i.reg + n] = clamp(word, -32768, 32767);
  });
}

/** PSHUFD. */
export function shuffleDoubles(m: Machine, i: Instruction): void {
  const from = source(m, i);
  const before = m.x32.slice(4 * from, 4 * from + 4);
  for (let n = 0; n < 4; n += 1) m.x32[4 * i.reg + n] = before[(i.imm >> (2 * n)) & 3]!;
}

/** PSHUFLW and PSHUFHW: four words from `kind` on; the others are copied. */
export function shuffleWords(m: Machine, i: Instruction): void {
  const from = source(m, i);
  const before = m.x16.slice(8 * from, 8 * from + 8);
  m.x16.set(before, 8 * i.reg);
  for (let n = 0; n < 4; n += 1) m.x16[8 * i.reg + i.kind + n] = before[i.kind + ((i.imm >> (2 * n)) & 3)]!;
}

/** SHUFPS: two of the destination, then two of the source. */
export function shuffleSingles(m: Machine, i: Instruction): void {
  const from = source(m, i);
  const a = m.x32.slice(4 * i.reg, 4 * i.reg + 4);
  const b = m.x32.slice(4 * from, 4 * from + 4);
  for (let n = 0; n < 4; n += 1) m.x32[4 * i.reg + n] = (n < 2 ? a : b)[(i.imm >> (2 * n)) & 3]!;
}

/** SHUFPD. */
export function shuffleQuads(m: Machine, i: Instruction): void {
  const from = source(m, i);
  const a = m.x64[2 * i.reg + (i.imm & 1)]!;
  const b = m.x64[2 * from + ((i.imm >> 1) & 1)]!;
  m.x64[2 * i.reg] = a;
  m.x64[2 * i.reg + 1] = b;
}

export const unpackSinglesLow = unpack(4, false);
export const unpackSinglesHigh = unpack(4, true);
export const unpackQuadsLow = unpack(8, false);
export const unpackQuadsHigh = unpack(8, true);

/** By the opcode behind 66 0F. */
export const shuffles: Readonly<Record<number, Execute>> = {
  96: unpack(1, false),
  97: unpack(2, false),
  98: unpackSinglesLow,
  99: packWords(-128, 127),
  103: packWords(0, 255),
  104: unpack(1, true),
  105: unpack(2, true),
  106: unpackSinglesHigh,
  107: packDoubles,
  108: unpackQuadsLow,
  109: unpackQuadsHigh,
};
