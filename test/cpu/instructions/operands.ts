/** Random operands, and the moves that make pointers and counts for them. */
import type { Random } from '../random.ts';

export const CF = 1;
export const PF = 4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const OF = 0x800;
export const ALL = CF | PF | AF | ZF | SF | OF;

export interface Piece {
  readonly bytes: readonly number[];
  /** For the report of a difference. */
  readonly name: string;
  /** Arithmetic flags that are undefined after it. */
  readonly undefinedFlags: number;
}

/** The part of memory that operands lie in: 512 bytes around a page border. */
export interface Window {
  readonly start: number;
  readonly bytes: number;
}

export const le32 = (value: number): number[] => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  (value >>> 24) & 0xff,
];
export const le16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
export const ESP = 4;

export const piece = (name: string, bytes: readonly number[], undefinedFlags = 0): Piece => ({
  name,
  bytes,
  undefinedFlags,
});
export const mov = (register: number, value: number): Piece =>
  piece(`mov r${register}`, [0xb8 + register, ...le32(value)]);

/** ModRM and what follows it, after the pieces that make its registers point into the window. */
interface Operand {
  readonly before: readonly Piece[];
  readonly bytes: readonly number[];
}

export class Operands {
  readonly random: Random;
  readonly window: Window;

  constructor(random: Random, window: Window) {
    this.random = random;
    this.window = window;
  }

  /** A general register that may be a destination. */
  register(): number {
    const r = this.random.below(7);
    return r < ESP ? r : r + 1;
  }

  address(): number {
    // Room for the widest operand at the end.
    return this.window.start + this.random.below(this.window.bytes - 16);
  }

  /** An rm operand, a register in half of the cases; `reg` goes into ModRM.reg. */
  rm(reg: number, byte = false, memoryOnly = false): Operand {
    if (!memoryOnly && this.random.below(2) === 0) {
      const r = byte ? this.random.below(8) : this.register();
      return { before: [], bytes: [0xc0 | (reg << 3) | r] };
    }
    return this.memory(reg, this.address());
  }

  memory(reg: number, address: number): Operand {
    const base = this.register();
    const mod = base === 5 ? 1 + this.random.below(2) : this.random.below(3);
    const disp = mod === 0 ? 0 : mod === 1 ? (this.random.u32() << 24) >> 24 : this.random.u32() | 0;
    const tail = mod === 0 ? [] : mod === 1 ? [disp & 0xff] : le32(disp);
    switch (this.random.below(3)) {
      case 0:
        return { before: [], bytes: [(reg << 3) | 5, ...le32(address)] };
      case 1:
        return { before: [mov(base, address - disp)], bytes: [(mod << 6) | (reg << 3) | base, ...tail] };
      default: {
        let index = this.register();
        if (index === base) index = index === 0 ? 1 : 0;
        const scale = this.random.below(4);
        const count = this.random.value();
        return {
          before: [mov(index, count), mov(base, address - disp - (count << scale))],
          bytes: [(mod << 6) | (reg << 3) | 4, (scale << 6) | (index << 3) | base, ...tail],
        };
      }
    }
  }

  /** 0: bytes, 1: words by prefix, 2: double words. */
  size(): { prefix: readonly number[]; wide: number; bits: number } {
    return this.random.pick([
      { prefix: [], wide: 0, bits: 8 },
      { prefix: [0x66], wide: 1, bits: 16 },
      { prefix: [], wide: 1, bits: 32 },
    ]);
  }

  wideSize(): { prefix: readonly number[]; bits: number } {
    return this.random.pick([
      { prefix: [0x66], bits: 16 },
      { prefix: [], bits: 32 },
    ]);
  }

  immediate(bits: number): number[] {
    const value = this.random.value();
    return bits === 8 ? [value & 0xff] : bits === 16 ? le16(value) : le32(value);
  }
}
