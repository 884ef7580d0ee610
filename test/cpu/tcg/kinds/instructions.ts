/** What the host's processor is asked for in user mode, here in every mode; and 16-bit forms of it. */
import { nextInstruction, nextInstruction64, Operands, Operands64 } from '../../instructions/index.ts';
import { AF, le16, type Piece, piece } from '../../instructions/operands.ts';
import type { Random } from '../../random.ts';
import { DATA, DATA_BYTES, HIGH_DATA } from '../image.ts';
import { MODES } from '../setup.ts';
import { type Case, type Kind, turnedOver } from './kind.ts';

const PIECES = 16;
const CR4_OSFXSR = 0x200;

/**
 * By their opcodes: vector registers hold what cases before have left, so they are the host's processor's alone. TCG takes 66 before EMMS and
 * before LZCNT, which it makes a BSR, and mixes MMX and XMM registers without CR4.OSFXSR.
 */
const NOT_TCG = /^(?:emms|mmx shift|maskmov|(?:66 )?(?:f[23] )?f )/;

/** An operand by one of the eight 16-bit address forms (Intel SDM 2, table 2-1), in the window. */
function memory16(random: Random, reg: number): { before: readonly Piece[]; bytes: readonly number[] } {
  const rm = random.below(8);
  const mod = random.below(3);
  const address = DATA - 200 + random.below(400);
  const disp = mod === 0 ? 0 : mod === 1 ? (random.u32() << 24) >> 24 : random.u32() & 0xffff;
  const tail = mod === 0 ? [] : mod === 1 ? [disp & 0xff] : le16(disp);
  if (mod === 0 && rm === 6) return { before: [], bytes: [(reg << 3) | 6, ...le16(address)] };
  const base = [3, 3, 5, 5, 6, 7, 5, 3][rm]!;
  const index = rm < 4 ? [6, 7, 6, 7][rm]! : undefined;
  const part = index === undefined ? 0 : random.u32() & 0xffff;
  const move16 = (r: number, value: number): Piece =>
    piece(`mov r${r}w`, [0xb8 + r, ...le16(value & 0xffff)]);
  return {
    before: [...(index === undefined ? [] : [move16(index, part)]), move16(base, address - disp - part)],
    bytes: [(mod << 6) | (reg << 3) | rm, ...tail],
  };
}

/** In 16-bit code alone. */
function native16(random: Random): readonly Piece[] {
  const reg = random.below(8);
  const { before, bytes } = memory16(random, reg);
  const logic = new Set([1, 4, 6]);
  switch (random.below(6)) {
    case 0:
    case 1: {
      const kind = random.below(8);
      const form = random.below(4);
      return [...before, piece(`alu16 ${kind}`, [kind * 8 + form, ...bytes], logic.has(kind) ? AF : 0)];
    }
    case 2:
      return [...before, piece('mov16', [0x88 + random.below(4), ...bytes])];
    case 3:
      return [...before, piece('lea', [0x8d, ...bytes])];
    case 4:
      return [
        piece('mov cx', [0xb9, ...le16(random.below(3))]),
        piece('inc', [0x42]),
        piece('loop', [0xe2, 0xfd]),
      ];
    default:
      return [
        piece('mov si', [0xbe, ...le16(DATA - 16 + random.below(32))]),
        piece('mov di', [0xbf, ...le16(DATA - 16 + random.below(32))]),
        piece('mov cx', [0xb9, ...le16(random.below(6))]),
        piece('rep string', [
          random.pick([0xf2, 0xf3]),
          random.pick([0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xae]),
        ]),
      ];
  }
}

/** Turned over. The one that moves a return address behind itself and RET has to move it further: both are longer. */
function longer(p: Piece): Piece {
  const turned = turnedOver(p);
  if (p.name === 'add [esp]') return { ...turned, bytes: [...turned.bytes.slice(0, -1), 9] };
  // It has no operand size: TCG takes the prefix for another instruction's (known.ts).
  return p.name === 'cmpxchg8b' ? { ...turned, bytes: turned.bytes.slice(1) } : turned;
}

function next(c: Case): readonly Piece[] {
  const pieces = anyNext(c);
  return pieces.some(({ name }) => NOT_TCG.test(name)) ? next(c) : pieces;
}

function anyNext({ random, mode }: Case): readonly Piece[] {
  const start = DATA - DATA_BYTES / 2;
  if (mode.bits === 64) return nextInstruction64(new Operands64(random, { start, bytes: DATA_BYTES }));
  if (mode.bits === 32) return nextInstruction(new Operands(random, { start, bytes: DATA_BYTES }));
  if (random.below(3) === 0) return native16(random);
  if (mode.unreal) {
    const pieces = nextInstruction(new Operands(random, { start: HIGH_DATA, bytes: DATA_BYTES }));
    // The stack stays below 64 KiB.
    if (!pieces.some(({ name }) => name === 'mov r4')) return pieces.map(longer);
  }
  return nextInstruction(new Operands(random, { start, bytes: DATA_BYTES })).map(longer);
}

export const instructions: Kind = {
  name: 'instructions',
  modes: Object.values(MODES),
  levels: [0, 3],
  choose(_random, choices, mode) {
    if (mode.bits === 64) choices.cr4 |= CR4_OSFXSR;
    if (mode.virtual8086) choices.flags |= 0x3000;
  },
  body(c) {
    const { image, random } = c;
    for (const at of [DATA - 1024, HIGH_DATA])
      for (let n = 0; n < 2048; n += 4) image.u32(at + n, random.value());
    const pieces: Piece[] = [];
    while (pieces.length < PIECES) pieces.push(...next(c));
    return pieces;
  },
};
