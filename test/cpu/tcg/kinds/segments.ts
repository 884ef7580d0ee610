/** Segment registers, descriptor tables and far transfers, among descriptors of all types, rights and levels. */
import { le16, le32, type Piece, piece } from '../../instructions/operands.ts';
import type { Random } from '../../random.ts';
import {
  DATA,
  FREE_ENTRY,
  GDT,
  GDT_LIMIT,
  type Image,
  LANDING,
  LDT,
  LDT_LIMIT,
  SELECTORS,
} from '../image.ts';
import { MODES } from '../setup.ts';
import { type Case, type Kind, modrm, move, push } from './kind.ts';

const KNOWN = Object.values(SELECTORS);
const CODE = [
  ...[SELECTORS.code32, SELECTORS.code64, SELECTORS.code16, SELECTORS.userCode32, SELECTORS.userCode64],
  ...[SELECTORS.userCode16, SELECTORS.code1, SELECTORS.code2, SELECTORS.conforming],
];
const CALL_GATE_16 = 4;
const CALL_GATE_32 = 12;

/** Code and data without limits to run into: TCG does not look at them when memory is accessed (known.ts). */
function randomSegment(image: Image, at: number, random: Random): void {
  const type = 0x10 | random.below(16);
  const code = (type & 8) !== 0;
  const expandsDown = !code && (type & 4) !== 0;
  const present = random.below(8) === 0 ? 0 : 0x80;
  // 64-bit code with D set is nothing to enter: TCG enters it.
  const flags = code ? random.pick([0xc000, 0x8000, 0xa000, 0xd000]) : random.pick([0xc000, 0xd000]);
  const base = random.below(6) === 0 ? 0x10 * random.below(4) : 0;
  const limit = expandsDown ? 0 : code && random.below(8) === 0 ? random.below(4) : 0xfffff;
  image.descriptor(at, base, limit, type | (random.below(4) << 5) | present | flags);
}

function randomGate(image: Image, at: number, random: Random, long: boolean): void {
  const selector = random.pick(random.below(8) === 0 ? KNOWN : CODE);
  // Behind a gate to a conforming segment TCG's CS has the segment's level, not the current one.
  const target = selector === SELECTORS.conforming ? SELECTORS.code32 : selector;
  const present = random.below(8) === 0 ? 0 : 0x80;
  const type = random.pick([CALL_GATE_16, CALL_GATE_32, CALL_GATE_32]);
  const offset = LANDING + random.below(64);
  image.gate(at, target, offset, type | present | (random.below(4) << 5), random.below(4));
  // The type behind a gate has to be none; where it is taken for a descriptor itself, it is no segment.
  if (long) image.u64(at + 8, random.below(16) === 0 ? BigInt(random.u32() & 0x7fffefff) << 32n : 0n);
}

/** Fills the free part of the GDT, and the LDT. */
export function randomTables({ image, random, mode }: Case): void {
  for (const [start, end] of [
    [GDT + FREE_ENTRY, GDT + GDT_LIMIT],
    [LDT, LDT + LDT_LIMIT],
  ] as const)
    for (let at = start; at + 16 <= end + 1; at += 8) {
      const what = random.below(16);
      if (what < 9) randomSegment(image, at, random);
      else if (what < 14) {
        randomGate(image, at, random, mode.long);
        if (mode.long) at += 8;
      } else
        image.descriptor(
          at,
          LDT,
          0xff,
          (random.below(32) & random.pick([0x10, 0x1f])) | (random.below(8) << 5),
        );
    }
}

export function randomSelector(random: Random): number {
  const rpl = random.below(4);
  const free = FREE_ENTRY + 8 * random.below((GDT_LIMIT + 1 - FREE_ENTRY) / 8);
  switch (random.below(10)) {
    case 0:
      return random.pick([0, 1, 2, 3, 0x200, 0xfff8, 0x104, 0x1fc]);
    case 1:
    case 2:
      return (random.pick(KNOWN) & 0xfff8) | rpl;
    case 3:
      return (8 * random.below((LDT_LIMIT + 1) / 8)) | 4 | rpl;
    default:
      return free | rpl;
  }
}

function load(c: Case): readonly Piece[] {
  const { random, mode } = c;
  const selector = randomSelector(random);
  const segment = random.pick([0, 2, 3, 4, 5, 0, 3, 1, 6]);
  const offset = LANDING + random.below(64);
  switch (random.below(4)) {
    case 0: {
      const pops =
        mode.bits === 64
          ? [
              [0x0f, 0xa1],
              [0x0f, 0xa9],
            ]
          : [[7], [0x17], [0x1f], [0x0f, 0xa1], [0x0f, 0xa9]];
      return [push(selector), piece('pop segment', random.pick(pops))];
    }
    case 1: {
      c.image.u32(DATA, offset);
      c.image.u16(DATA + 4, selector);
      const loads = [[0x0f, 0xb2], [0x0f, 0xb4], [0x0f, 0xb5], ...(mode.bits === 64 ? [] : [[0xc4], [0xc5]])];
      return [
        move(3, DATA),
        piece(`load far pointer ${selector.toString(16)}`, [...random.pick(loads), 0x03]),
      ];
    }
    default:
      return [move(0, selector), piece(`mov segment ${segment}`, [0x8e, modrm(segment, 0)])];
  }
}

function ask({ random, mode }: Case): readonly Piece[] {
  const selector = randomSelector(random);
  const size = random.pick([[], [0x66]]);
  const asks: [string, number[]][] = [
    ['lar', [0x0f, 0x02, modrm(2, 0)]],
    ['lsl', [0x0f, 0x03, modrm(2, 0)]],
    ['verr', [0x0f, 0x00, modrm(4, 0)]],
    ['verw', [0x0f, 0x00, modrm(5, 0)]],
    ['sldt', [0x0f, 0x00, modrm(0, 2)]],
    ['str', [0x0f, 0x00, modrm(1, 2)]],
  ];
  if (mode.bits !== 64) asks.push(['arpl', [0x63, modrm(2, 0)]]);
  const [name, bytes] = random.pick(asks);
  return [move(0, selector), piece(name, [...size, ...bytes])];
}

function tables({ random }: Case): readonly Piece[] {
  const [name, reg] = random.pick([
    ['lldt', 2],
    ['ltr', 3],
  ] as const);
  return [move(0, randomSelector(random)), piece(name, [0x0f, 0x00, modrm(reg, 0)])];
}

function transfer(c: Case): readonly Piece[] {
  const { random, mode, image } = c;
  const selector = randomSelector(random);
  const offset = LANDING + random.below(64);
  const size = random.below(4) === 0 ? [0x66] : [];
  switch (random.below(mode.bits === 64 ? 2 : 4)) {
    case 0: {
      image.u32(DATA, size.length === 0 ? offset : offset | (selector << 16));
      image.u16(DATA + 4, selector);
      return [
        move(3, DATA),
        piece(`far transfer [ebx] ${selector.toString(16)}`, [...size, 0xff, random.pick([0x1b, 0x2b])]),
      ];
    }
    case 1: {
      const words = random.below(3);
      const dropped = words === 0 ? [0xcb] : [0xca, ...le16(4 * words)];
      const parameters = Array.from({ length: words }, () => 0);
      const frame = [SELECTORS.userData, 0x6f00, ...parameters, selector, offset].map(push);
      return [...frame, piece('retf', dropped)];
    }
    default: {
      const pointer = size.length === 0 ? le32(offset) : le16(offset);
      return [
        piece(`far transfer ${selector.toString(16)}`, [
          ...size,
          random.pick([0x9a, 0xea]),
          ...pointer,
          ...le16(selector),
        ]),
      ];
    }
  }
}

const protectedModes = [
  ...[MODES.protected16, MODES.protected32, MODES.paged32, MODES.long64, MODES.compatibility],
];

export const segments: Kind = {
  name: 'segments',
  modes: protectedModes,
  levels: [0, 1, 2, 3],
  body(c) {
    randomTables(c);
    const { random } = c;
    const pieces: Piece[] = [];
    for (let n = 0; n < 4; n += 1) pieces.push(...random.pick([load, ask, ask])(c));
    if (random.below(8) === 0) pieces.push(...tables(c));
    return pieces;
  },
};

export const transfers: Kind = {
  name: 'far transfers',
  modes: protectedModes,
  levels: [0, 1, 2, 3],
  body(c) {
    randomTables(c);
    return [...(c.random.below(4) === 0 ? load(c) : []), ...transfer(c)];
  },
};
