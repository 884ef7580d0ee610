/** What a kind of case is made of. */
import { le32, type Piece, piece } from '../../instructions/operands.ts';
import type { Random } from '../../random.ts';
import type { Image } from '../image.ts';
import type { Mode } from '../setup.ts';

/** What may be chosen before the setup is written: see setup.ts. */
export interface Choices {
  level: number;
  flags: number;
  cr0: number;
  cr4: number;
  efer: number;
}

export interface Case {
  readonly random: Random;
  readonly image: Image;
  readonly mode: Mode;
  readonly level: number;
}

export interface Kind {
  readonly name: string;
  readonly modes: readonly Mode[];
  /** Levels that a case may begin at; 0 where left out, and 3 in virtual-8086 mode whatever it says. */
  readonly levels?: readonly number[];
  choose?(random: Random, choices: Choices, mode: Mode): void;
  /** Changes the image as it likes, and gives the instructions, as 32-bit code or as 64-bit code. */
  body(c: Case): readonly Piece[];
}

const [OPERAND_SIZE, ADDRESS_SIZE] = [0x66, 0x67];

/** The same instruction in 16-bit code: its two size prefixes turned over. */
export function turnedOver(p: Piece): Piece {
  let at = 0;
  const has = new Set<number>();
  while (p.bytes[at] === OPERAND_SIZE || p.bytes[at] === ADDRESS_SIZE) {
    has.add(p.bytes[at]!);
    at += 1;
  }
  const prefixes = [OPERAND_SIZE, ADDRESS_SIZE].filter((prefix) => !has.has(prefix));
  return { ...p, bytes: [...prefixes, ...p.bytes.slice(at)] };
}

/** CMP with an immediate leaves no flag undefined: it follows what does. */
export const definesFlags = (value: number): Piece => piece('cmp ebx, imm', [0x83, 0xfb, value & 0xff]);

/** The ModR/M byte of two registers. */
export const modrm = (reg: number, rm: number): number => 0xc0 | (reg << 3) | rm;

export const move = (register: number, value: number): Piece =>
  piece(`mov r${register}, ${(value >>> 0).toString(16)}`, [0xb8 + register, ...le32(value)]);

/** PUSH of an immediate: 4 bytes, or 8 in 64-bit code. */
export const push = (value: number): Piece =>
  piece(`push ${(value >>> 0).toString(16)}`, [0x68, ...le32(value)]);
