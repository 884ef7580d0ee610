/** Random SSE and SSE2 instructions of 64-bit code. */
import { type Piece, piece } from './operands.ts';
import type { Operands64 } from './wide-operands.ts';

const NONE: readonly number[] = [];
const P66 = [0x66];
const F3 = [0xf3];
const F2 = [0xf2];

/** Prefix and opcode of what reads two registers, or a register and 16 aligned bytes, and writes the first. */
const BOTH: readonly (readonly [readonly number[], number])[] = [
  ...[0x14, 0x15, 0x28, 0x51, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f].flatMap(
    (opcode) => [[NONE, opcode] as const, [P66, opcode] as const],
  ),
  ...[0x51, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f, 0x10].flatMap((opcode) => [
    [F3, opcode] as const,
    [F2, opcode] as const,
  ]),
  ...[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6f].map(
    (opcode) => [P66, opcode] as const,
  ),
  ...Array.from({ length: 46 }, (_, n) => 0xd1 + n)
    .filter((opcode) => ![0xd6, 0xd7, 0xe6, 0xe7, 0xf0, 0xf7, 0xff].includes(opcode))
    .map((opcode) => [P66, opcode] as const),
  ...[0x74, 0x75, 0x76].map((opcode) => [P66, opcode] as const),
  // Conversions, and comparisons that set flags.
  ...[NONE, P66, F3, F2].map((prefix) => [prefix, 0x5a] as const),
  ...[NONE, P66, F3].map((prefix) => [prefix, 0x5b] as const),
  ...[P66, F3, F2].map((prefix) => [prefix, 0xe6] as const),
  ...[0x2e, 0x2f].flatMap((opcode) => [[NONE, opcode] as const, [P66, opcode] as const]),
  ...[0x12, 0x16].map((opcode) => [NONE, opcode] as const),
  [F3, 0x7e],
  [P66, 0xd6],
];

/** The same with an immediate behind. */
const WITH_IMMEDIATE: readonly (readonly [readonly number[], number])[] = [
  ...[P66, F3, F2].map((prefix) => [prefix, 0x70] as const),
  ...[NONE, P66].map((prefix) => [prefix, 0xc6] as const),
  ...[NONE, P66, F3, F2].map((prefix) => [prefix, 0xc2] as const),
];

const hexOf = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16)).join(' ');

function build(
  o: Operands64,
  prefix: readonly number[],
  opcode: number,
  modrm: number,
  tail: readonly number[],
  wide = 0,
): Piece {
  const rex = 0x40 | wide | (o.random.below(2) << 2) | o.random.below(2);
  return piece(`sse ${hexOf([...prefix, opcode])}`, [...prefix, rex, 0x0f, opcode, modrm, ...tail]);
}

const registers = (o: Operands64): number => 0xc0 | o.random.below(64);

/** Loads and stores of any 16 bytes, or of some that are aligned. */
function memory(o: Operands64): readonly Piece[] {
  const [prefix, opcode, align] = o.random.pick([
    [NONE, 0x10, 1],
    [NONE, 0x11, 1],
    [F3, 0x6f, 1],
    [F3, 0x7f, 1],
    [P66, 0x6f, 16],
    [P66, 0x7f, 16],
    [NONE, 0x28, 16],
    [F2, 0x10, 1],
    [F2, 0x11, 1],
    [F3, 0x10, 1],
    [F3, 0x11, 1],
    [P66, 0x12, 1],
    [P66, 0x13, 1],
    [NONE, 0x16, 1],
    [NONE, 0x17, 1],
    [P66, 0xd6, 1],
    [P66, 0xd4, 16],
    [NONE, 0x58, 16],
    [F2, 0x58, 1],
    [F3, 0x59, 1],
  ] as const);
  o.rex = 0;
  const address = o.address();
  const { before, bytes } = o.memory(o.random.below(8), address - (address % align));
  return [
    ...before,
    piece(`sse memory ${hexOf([...prefix, opcode])}`, [...prefix, 0x40 | o.rex, 0x0f, opcode, ...bytes]),
  ];
}

/** Between XMM and general registers. */
function general(o: Operands64): readonly Piece[] {
  const wide = o.random.below(2) * 8;
  const reg = o.random.below(8);
  const r = o.register();
  const into = 0xc0 | (reg << 3) | r;
  const outOf = 0xc0 | (r << 3) | reg;
  return [
    o.random.pick([
      build(o, P66, 0x6e, into, [], wide),
      build(o, P66, 0x7e, into, [], wide),
      build(o, o.random.pick([F3, F2]), 0x2a, into, [], wide),
      build(o, o.random.pick([F3, F2]), o.random.pick([0x2c, 0x2d]), outOf, [], wide),
      build(o, P66, 0xc4, into, [o.random.below(256)]),
      build(o, P66, 0xc5, outOf, [o.random.below(256)]),
      build(o, P66, 0xd7, outOf, []),
      build(o, o.random.pick([NONE, P66]), 0x50, outOf, []),
    ]),
  ];
}

function shift(o: Operands64): readonly Piece[] {
  const [opcode, kind] = o.random.pick([
    [0x71, 2],
    [0x71, 4],
    [0x71, 6],
    [0x72, 2],
    [0x72, 4],
    [0x72, 6],
    [0x73, 2],
    [0x73, 3],
    [0x73, 6],
    [0x73, 7],
  ] as const);
  return [build(o, P66, opcode, 0xc0 | (kind << 3) | o.random.below(8), [o.random.below(40)])];
}

export function sse(o: Operands64): readonly Piece[] {
  switch (o.random.below(8)) {
    case 0:
    case 1:
      return memory(o);
    case 2:
      return general(o);
    case 3:
      return shift(o);
    case 4: {
      const [prefix, opcode] = o.random.pick(WITH_IMMEDIATE);
      const predicate = opcode === 0xc2 ? o.random.below(8) : o.random.below(256);
      return [build(o, prefix, opcode, registers(o), [predicate])];
    }
    default: {
      const [prefix, opcode] = o.random.pick(BOTH);
      return [build(o, prefix, opcode, registers(o), [])];
    }
  }
}
