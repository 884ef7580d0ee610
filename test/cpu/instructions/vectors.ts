/** Random instructions of MMX, SSE3, SSSE3 and SSE4, CRC32, POPCNT, LZCNT and MOVBE, of 32-bit and of 64-bit code. */
import { AF, mov, OF, type Operands, PF, type Piece, piece, SF } from './operands.ts';
import { mov64, Operands64 } from './wide-operands.ts';

/**
 * What the operands are: two vector registers, or one and memory that is aligned, or that need not be; registers alone; memory alone;
 * a general register or memory as the rm operand; a general register as the other one.
 */
type Kind = 'aligned' | 'any' | 'registers' | 'memory' | 'general' | 'toGeneral';

interface Form {
  readonly prefix: readonly number[];
  readonly opcode: readonly number[];
  readonly kind: Kind;
  readonly immediate: boolean;
  /** Both operands are general registers. */
  readonly both?: true;
}

const NONE: readonly number[] = [];
const P66 = [0x66];
const F3 = [0xf3];
const F2 = [0xf2];

const range = (first: number, last: number, without: readonly number[] = []): number[] =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n).filter((opcode) => !without.includes(opcode));

/** Forms of one map with one prefix. */
const all = (
  prefix: readonly number[],
  map: readonly number[],
  opcodes: readonly number[],
  kind: Kind,
  immediate = false,
): Form[] => opcodes.map((opcode) => ({ prefix, opcode: [...map, opcode], kind, immediate }));

const M0 = [0x0f];
const M38 = [0x0f, 0x38];
const M3A = [0x0f, 0x3a];

const MMX: readonly Form[] = [
  ...all(NONE, M0, [...range(0x60, 0x6b), 0x6f, 0x74, 0x75, 0x76], 'any'),
  ...all(NONE, M0, range(0xd1, 0xfe, [0xd6, 0xd7, 0xe6, 0xe7, 0xf0, 0xf7]), 'any'),
  ...all(NONE, M0, [0x7f, 0x2a, 0x2c, 0x2d], 'any'),
  ...all(P66, M0, [0x2a], 'any'),
  ...all(P66, M0, [0x2c, 0x2d], 'aligned'),
  ...all(NONE, M0, [0x70], 'any', true),
  ...all(NONE, M0, [0xe7], 'memory'),
  ...all(NONE, M0, [0x6e, 0x7e], 'general'),
  ...all(NONE, M0, [0xc4], 'general', true),
  ...all(NONE, M0, [0xc5], 'toGeneral', true),
  ...all(NONE, M0, [0xd7], 'toGeneral'),
  ...all(F3, M0, [0xd6], 'registers'),
  ...all(F2, M0, [0xd6], 'registers'),
  ...all(NONE, M38, [...range(0, 0x0b), 0x1c, 0x1d, 0x1e], 'any'),
  ...all(NONE, M3A, [0x0f], 'any', true),
];

const VECTORS: readonly Form[] = [
  ...all(P66, M0, [0x7c, 0x7d, 0xd0], 'aligned'),
  ...all(F2, M0, [0x7c, 0x7d, 0xd0], 'aligned'),
  ...all(F3, M0, [0x12, 0x16], 'aligned'),
  ...all(F2, M0, [0x12], 'any'),
  ...all(F2, M0, [0xf0], 'memory'),
  ...all(P66, M38, [...range(0, 0x0b), 0x1c, 0x1d, 0x1e], 'aligned'),
  ...all(P66, M38, [0x10, 0x14, 0x15, 0x17, 0x28, 0x29, 0x2b, ...range(0x37, 0x41)], 'aligned'),
  ...all(P66, M38, [...range(0x20, 0x25), ...range(0x30, 0x35)], 'any'),
  ...all(P66, M3A, [0x08, 0x09, 0x0c, 0x0d, 0x0e, 0x0f, 0x40, 0x41, 0x42], 'aligned', true),
  ...all(P66, M3A, [0x08, 0x09, 0x40, 0x41], 'aligned', true),
  ...all(P66, M3A, [0x0a, 0x0b, 0x21], 'any', true),
  ...all(P66, M3A, [0x14, 0x15, 0x16, 0x17, 0x20, 0x22], 'general', true),
];

const STRINGS: readonly Form[] = all(P66, M3A, [0x60, 0x61, 0x62, 0x63], 'any', true);

const GENERAL: readonly Form[] = [
  ...all(F3, M0, [0xb8, 0xbd], 'general'),
  ...all(F2, M38, [0xf0, 0xf1], 'general'),
  ...all(NONE, M38, [0xf0, 0xf1], 'memory'),
].map((form) => ({ ...form, both: true }));

const SHIFTS: readonly (readonly [number, number])[] = [
  ...[2, 4, 6].flatMap((reg) => [[0x71, reg] as const, [0x72, reg] as const]),
  [0x73, 2],
  [0x73, 6],
];

/** A number for a register, in code of either kind. */
const put = (o: Operands, register: number, value: number): Piece =>
  o instanceof Operands64 ? mov64(register, BigInt(value)) : mov(register, value);

/** Bits of REX by chance: registers from 8 on, and operands of 64 bits. */
const chance = (o: Operands, bits: number): number =>
  o instanceof Operands64 ? o.random.below(16) & bits : 0;

function made(o: Operands, form: Form): readonly Piece[] {
  const { random } = o;
  const { prefix, opcode, kind, immediate, both } = form;
  const reg = kind === 'toGeneral' || both ? o.register() : random.below(8);
  const tail = immediate ? [random.below(256)] : [];
  const name = [...prefix, ...opcode].map((byte) => byte.toString(16)).join(' ');
  const inMemory =
    kind === 'memory' || (kind !== 'registers' && kind !== 'toGeneral' && random.below(3) === 0);
  const flags = form.opcode.at(-1) === 0xbd ? OF | SF | AF | PF : 0;
  const build = (rex: number, bytes: readonly number[]): Piece =>
    piece(name, [...prefix, ...(rex === 0 ? [] : [0x40 | rex]), ...opcode, ...bytes, ...tail], flags);
  if (!inMemory) {
    const rm = kind === 'general' ? o.register() : random.below(8);
    return [build(chance(o, kind === 'general' ? 13 : 5), [0xc0 | (reg << 3) | rm])];
  }
  if (o instanceof Operands64) o.rex = 0;
  const address = o.address();
  const isAligned = kind === 'aligned' && random.below(40) !== 0;
  const { before, bytes } = o.memory(reg, isAligned ? address & ~15 : address);
  const rex = o instanceof Operands64 ? o.rex : 0;
  return [
    ...before,
    build(rex | chance(o, kind === 'general' || form.opcode.at(-1)! >= 0xf0 ? 12 : 4), bytes),
  ];
}

/** With an operand size of 16 bits now and then, which excludes one of 64. */
function sized(o: Operands): readonly Piece[] {
  const form = o.random.pick(GENERAL);
  return made(o, o.random.below(3) === 0 ? { ...form, prefix: [0x66, ...form.prefix] } : form);
}

/** Their lengths stand in EAX and EDX, or in RAX and RDX. */
function strings(o: Operands): readonly Piece[] {
  const length = (): number => o.random.pick([0, 1, 3, 7, 8, 9, 15, 16, 17, 0x8000_0000, o.random.below(16)]);
  const pieces = made(o, o.random.pick(STRINGS));
  // An operand of memory has registers of its own, which may be these.
  return pieces.length > 1 ? pieces : [put(o, 0, length()), put(o, 2, -o.random.below(20)), ...pieces];
}

/** MASKMOVQ and MASKMOVDQU. */
const masked = (o: Operands): readonly Piece[] => [
  put(o, 7, o.address()),
  piece('maskmov', [...o.random.pick([NONE, P66]), 0x0f, 0xf7, 0xc0 | o.random.below(64)]),
];

export function vectors(o: Operands): readonly Piece[] {
  const { random } = o;
  switch (random.below(16)) {
    case 0:
    case 1:
      return sized(o);
    case 2:
    case 3:
      return strings(o);
    case 4:
      return masked(o);
    case 5: {
      const [opcode, kind] = random.pick(SHIFTS);
      return [piece('mmx shift', [0x0f, opcode, 0xc0 | (kind << 3) | random.below(8), random.below(70)])];
    }
    case 6:
      return [piece('emms', [0x0f, 0x77])];
    default:
      return made(o, random.pick(random.below(2) === 0 ? MMX : VECTORS));
  }
}
