/** Lanes in another order: unpacking, packing with saturation, shuffles by an immediate. */
import type { Machine } from '../machine.ts';
import type { Operation } from './operands.ts';
import { between, i16, i32, u8, type View } from './packed.ts';

const copies = [new Uint8Array(16), new Uint8Array(16)] as const;

/** The bytes of both operands, apart from them; good until the next such copy. */
export function bytesOf(m: Machine, to: number, from: number): readonly [Uint8Array, Uint8Array] {
  const [a, b] = copies;
  for (let n = 0; n < 16; n += 1) {
    a[n] = m.x8[16 * to + n]!;
    b[n] = m.x8[16 * from + n]!;
  }
  return copies;
}

/** Lanes of `bytes` of both operands in turn, of their lower or their upper half. */
function unpack(bytes: number, upper: boolean): Operation {
  return (m, register, from) => {
    const [a, b] = bytesOf(m, register, from);
    const first = upper ? 8 : 0;
    for (let lane = 0; lane < 8 / bytes; lane += 1)
      for (let n = 0; n < bytes; n += 1) {
        const to = 16 * register + 2 * lane * bytes + n;
        m.x8[to] = a[first + lane * bytes + n]!;
        m.x8[to + bytes] = b[first + lane * bytes + n]!;
      }
  };
}

/** `count` lanes of the destination, then as many of the source, as lanes of half their size. */
function pack(wide: View, narrow: View, count: number, low: number, high: number): Operation {
  return (m, to, from) => {
    const values = wide(m);
    const packed = [to, from].flatMap((register) =>
      Array.from({ length: count }, (_, n) => between(low, values[count * register + n]!, high)),
    );
    packed.forEach((value, n) => {
      narrow(m)[2 * count * to + n] = value;
    });
  };
}

/** PSHUFD. */
export const shuffleDoubles: Operation = (m, to, from, imm) => {
  const before = m.x32.slice(4 * from, 4 * from + 4);
  for (let n = 0; n < 4; n += 1) m.x32[4 * to + n] = before[(imm >> (2 * n)) & 3]!;
};

/** PSHUFLW and PSHUFHW: four words from `first` on; the others are copied. */
export const shuffleWords =
  (first: number): Operation =>
  (m, to, from, imm) => {
    const before = m.x16.slice(8 * from, 8 * from + 8);
    m.x16.set(before, 8 * to);
    for (let n = 0; n < 4; n += 1) m.x16[8 * to + first + n] = before[first + ((imm >> (2 * n)) & 3)]!;
  };

/** SHUFPS: two of the destination, then two of the source. */
export const shuffleSingles: Operation = (m, to, from, imm) => {
  const a = m.x32.slice(4 * to, 4 * to + 4);
  const b = m.x32.slice(4 * from, 4 * from + 4);
  for (let n = 0; n < 4; n += 1) m.x32[4 * to + n] = (n < 2 ? a : b)[(imm >> (2 * n)) & 3]!;
};

/** SHUFPD. */
export const shuffleQuads: Operation = (m, to, from, imm) => {
  const a = m.x64[2 * to + (imm & 1)]!;
  const b = m.x64[2 * from + ((imm >> 1) & 1)]!;
  m.x64[2 * to] = a;
  m.x64[2 * to + 1] = b;
};

/** PSHUFB: bytes of the destination, chosen by the source's lower four bits; 0 where its upper bit is set. */
export const shuffleBytes: Operation = (m, to, from) => {
  const [before, chosen] = bytesOf(m, to, from);
  for (let n = 0; n < 16; n += 1) {
    const choice = chosen[n]!;
    m.x8[16 * to + n] = (choice & 0x80) !== 0 ? 0 : before[choice & 15]!;
  }
};

/** PALIGNR: 16 bytes of the destination above the source, `imm` bytes further up. */
export const alignRight: Operation = (m, to, from, imm) => {
  const [above, below] = bytesOf(m, to, from);
  for (let n = 0; n < 16; n += 1) {
    const at = n + imm;
    m.x8[16 * to + n] = (at < 16 ? below[at] : above[at - 16]) ?? 0;
  }
};

export const unpackSinglesLow = unpack(4, false);
export const unpackSinglesHigh = unpack(4, true);
export const unpackQuadsLow = unpack(8, false);
export const unpackQuadsHigh = unpack(8, true);

/** PACKUSDW. */
export const packWords = pack(i32, (m) => m.x16, 4, 0, 65535);

/** By the opcode behind 66 0F. */
export const shuffles: Readonly<Record<number, Operation>> = {
  96: unpack(1, false),
  97: unpack(2, false),
  98: unpackSinglesLow,
  99: pack(i16, u8, 8, -128, 127),
  103: pack(i16, u8, 8, 0, 255),
  104: unpack(1, true),
  105: unpack(2, true),
  106: unpackSinglesHigh,
  107: pack(i32, i16, 4, -32768, 32767),
  108: unpackQuadsLow,
  109: unpackQuadsHigh,
};
