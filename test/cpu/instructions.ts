/**
 * Random 32-bit instructions, and the flags that each leaves undefined (Intel SDM 2). What needs pointers or small counts
 * is preceded by moves that make them.
 */
import type { Random } from './random.ts';

const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
const ALL = CF | PF | AF | ZF | SF | OF;

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

const le32 = (value: number): number[] => [
  value & 0xff,
  (value >> 8) & 0xff,
  (value >> 16) & 0xff,
  (value >>> 24) & 0xff,
];
const le16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
const ESP = 4;

const piece = (name: string, bytes: readonly number[], undefinedFlags = 0): Piece => ({
  name,
  bytes,
  undefinedFlags,
});
const mov = (register: number, value: number): Piece =>
  piece(`mov r${register}`, [0xb8 + register, ...le32(value)]);

/** ModRM and what follows it, after the pieces that make its registers point into the window. */
interface Operand {
  readonly before: readonly Piece[];
  readonly bytes: readonly number[];
}

export class Generator {
  readonly #random: Random;
  readonly #window: Window;

  constructor(random: Random, window: Window) {
    this.#random = random;
    this.#window = window;
  }

  /** The pieces of one instruction, those that prepare it first. */
  next(): readonly Piece[] {
    const kinds: readonly (() => readonly Piece[])[] = [
      () => this.#alu(),
      () => this.#alu(),
      () => this.#aluImmediate(),
      () => this.#unary(),
      () => this.#shift(),
      () => this.#shift(),
      () => this.#doubleShift(),
      () => this.#move(),
      () => this.#extend(),
      () => this.#conditional(),
      () => this.#multiply(),
      () => this.#divide(),
      () => this.#bits(),
      () => this.#exchange(),
      () => this.#stack(),
      () => this.#string(),
      () => this.#jump(),
      () => this.#adjust(),
      () => this.#oneByte(),
    ];
    return this.#random.pick(kinds)();
  }

  /** A general register that may be a destination. */
  #register(): number {
    const r = this.#random.below(7);
    return r < ESP ? r : r + 1;
  }

  #address(): number {
    // Room for the widest operand at the end.
    return this.#window.start + this.#random.below(this.#window.bytes - 16);
  }

  /** An rm operand, a register in half of the cases; `reg` goes into ModRM.reg. */
  #rm(reg: number, byte = false, memoryOnly = false): Operand {
    if (!memoryOnly && this.#random.below(2) === 0) {
      const r = byte ? this.#random.below(8) : this.#register();
      return { before: [], bytes: [0xc0 | (reg << 3) | r] };
    }
    return this.#memory(reg, this.#address());
  }

  #memory(reg: number, address: number): Operand {
    const base = this.#register();
    const mod = base === 5 ? 1 + this.#random.below(2) : this.#random.below(3);
    const disp = mod === 0 ? 0 : mod === 1 ? (this.#random.u32() << 24) >> 24 : this.#random.u32() | 0;
    const tail = mod === 0 ? [] : mod === 1 ? [disp & 0xff] : le32(disp);
    switch (this.#random.below(3)) {
      case 0:
        return { before: [], bytes: [(reg << 3) | 5, ...le32(address)] };
      case 1:
        return { before: [mov(base, address - disp)], bytes: [(mod << 6) | (reg << 3) | base, ...tail] };
      default: {
        let index = this.#register();
        if (index === base) index = index === 0 ? 1 : 0;
        const scale = this.#random.below(4);
        const count = this.#random.value();
        return {
          before: [mov(index, count), mov(base, address - disp - (count << scale))],
          bytes: [(mod << 6) | (reg << 3) | 4, (scale << 6) | (index << 3) | base, ...tail],
        };
      }
    }
  }

  /** 0: bytes, 1: words by prefix, 2: double words. */
  #size(): { prefix: readonly number[]; wide: number; bits: number } {
    return this.#random.pick([
      { prefix: [], wide: 0, bits: 8 },
      { prefix: [0x66], wide: 1, bits: 16 },
      { prefix: [], wide: 1, bits: 32 },
    ]);
  }

  #wideSize(): { prefix: readonly number[]; bits: number } {
    return this.#random.pick([
      { prefix: [0x66], bits: 16 },
      { prefix: [], bits: 32 },
    ]);
  }

  #immediate(bits: number): number[] {
    const value = this.#random.value();
    return bits === 8 ? [value & 0xff] : bits === 16 ? le16(value) : le32(value);
  }

  #alu(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const kind = this.#random.below(9);
    const logic = kind === 1 || kind === 4 || kind === 6 || kind === 8;
    const opcode = kind === 8 ? 0x84 + wide : kind * 8 + this.#random.pick([0, 2]) + wide;
    const reg = bits === 8 ? this.#random.below(8) : this.#register();
    const rm = this.#rm(reg, bits === 8);
    return [...rm.before, piece(`alu ${kind} ${bits}`, [...prefix, opcode, ...rm.bytes], logic ? AF : 0)];
  }

  #aluImmediate(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const kind = this.#random.below(8);
    const undefinedFlags = kind === 1 || kind === 4 || kind === 6 ? AF : 0;
    if (this.#random.below(3) === 0)
      return [
        piece(
          `alu acc ${kind} ${bits}`,
          [...prefix, kind * 8 + 4 + wide, ...this.#immediate(bits)],
          undefinedFlags,
        ),
      ];
    const short = wide === 1 && this.#random.below(2) === 0;
    const rm = this.#rm(kind, bits === 8);
    const immediate = short ? [this.#random.below(256)] : this.#immediate(bits);
    const opcode = short ? 0x83 : 0x80 + wide;
    return [
      ...rm.before,
      piece(`alu imm ${kind} ${bits}`, [...prefix, opcode, ...rm.bytes, ...immediate], undefinedFlags),
    ];
  }

  #unary(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const [opcode, reg, name] = this.#random.pick([
      [0xfe, 0, 'inc'],
      [0xfe, 1, 'dec'],
      [0xf6, 2, 'not'],
      [0xf6, 3, 'neg'],
    ] as const);
    const lockable = this.#rm(reg, bits === 8, this.#random.below(4) === 0);
    const memory = (lockable.bytes[0] ?? 0) < 0xc0;
    const lock = memory && this.#random.below(3) === 0 ? [0xf0] : [];
    return [
      ...lockable.before,
      piece(`${name} ${bits}`, [...lock, ...prefix, opcode + wide, ...lockable.bytes]),
    ];
  }

  #shift(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const kind = this.#random.below(8);
    const count = this.#random.below(3) === 0 ? this.#random.below(256) : this.#random.below(34);
    const rotates = kind < 4;
    const cut = count & 31;
    const flags = (n: number): number => {
      if (n === 0) return 0;
      // OF for counts other than 1; CF of SHL and SHR by more than the operand has bits.
      return (n === 1 ? 0 : OF) | (rotates ? 0 : AF) | (!rotates && n > bits - 1 ? CF : 0);
    };
    const name = `shift ${kind} ${bits} by ${cut}`;
    switch (this.#random.below(3)) {
      case 0: {
        const rm = this.#rm(kind, bits === 8);
        return [...rm.before, piece(name, [...prefix, 0xc0 + wide, ...rm.bytes, count], flags(cut))];
      }
      case 1: {
        const rm = this.#rm(kind, bits === 8);
        return [
          ...rm.before,
          piece(`shift ${kind} ${bits} by one`, [...prefix, 0xd0 + wide, ...rm.bytes], flags(1)),
        ];
      }
      default: {
        const rm = this.#rm(kind, bits === 8);
        // ECX may be part of the address: only a register operand, or one by absolute offset, is taken with CL.
        if (rm.before.length > 0) return rm.before;
        return [
          piece('mov cl', [0xb1, count]),
          piece(`${name} cl`, [...prefix, 0xd2 + wide, ...rm.bytes], flags(cut)),
        ];
      }
    }
  }

  #doubleShift(): readonly Piece[] {
    const { prefix, bits } = this.#wideSize();
    // A 16-bit operand shifted by more than 16 is undefined altogether.
    const count = this.#random.below(bits === 16 ? 17 : 32);
    const opcode = this.#random.pick([0xa4, 0xac]);
    const rm = this.#rm(this.#register(), false);
    const flags = count === 0 ? 0 : AF | (count === 1 ? 0 : OF);
    const name = `double shift ${opcode.toString(16)} ${bits} by ${count}`;
    if (rm.before.length > 0 || this.#random.below(2) === 0)
      return [...rm.before, piece(name, [...prefix, 0x0f, opcode, ...rm.bytes, count], flags)];
    return [piece('mov cl', [0xb1, count]), piece(name, [...prefix, 0x0f, opcode + 1, ...rm.bytes], flags)];
  }

  #move(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const reg = bits === 8 ? this.#random.below(8) : this.#register();
    switch (this.#random.below(7)) {
      case 0:
      case 1: {
        const rm = this.#rm(reg, bits === 8);
        const opcode = this.#random.pick([0x88, 0x8a]) + wide;
        return [...rm.before, piece(`mov ${bits}`, [...prefix, opcode, ...rm.bytes])];
      }
      case 2: {
        const rm = this.#rm(0, bits === 8);
        return [
          ...rm.before,
          piece('mov imm', [...prefix, 0xc6 + wide, ...rm.bytes, ...this.#immediate(bits)]),
        ];
      }
      case 3: {
        const opcode = this.#random.pick([0xa0, 0xa2]) + wide;
        return [piece('mov moffs', [...prefix, opcode, ...le32(this.#address())])];
      }
      case 4: {
        const rm = this.#memory(this.#register(), this.#random.u32());
        const wideOnly = bits === 8 ? [] : prefix;
        return [...rm.before, piece('lea', [...wideOnly, 0x8d, ...rm.bytes])];
      }
      case 5: {
        const narrow = this.#random.below(8);
        const mod = this.#random.below(3);
        const short = mod === 0 && narrow === 6;
        const tail =
          mod === 1 ? [this.#random.below(256)] : mod === 2 || short ? le16(this.#random.u32()) : [];
        const modrm = (mod << 6) | (this.#register() << 3) | narrow;
        return [piece('lea 16', [...(bits === 16 ? [0x66] : []), 0x67, 0x8d, modrm, ...tail])];
      }
      default: {
        const rm = this.#rm(3, false);
        return [...rm.before, piece('mov r/m, ds', [...prefix, 0x8c, ...rm.bytes])];
      }
    }
  }

  #extend(): readonly Piece[] {
    const { prefix } = this.#wideSize();
    switch (this.#random.below(4)) {
      case 0:
        return [piece('cbw', [...prefix, 0x98])];
      case 1:
        return [piece('cwd', [...prefix, 0x99])];
      default: {
        const opcode = this.#random.pick([0xb6, 0xb7, 0xbe, 0xbf]);
        const rm = this.#rm(this.#register(), (opcode & 1) === 0);
        return [...rm.before, piece(`extend ${opcode.toString(16)}`, [...prefix, 0x0f, opcode, ...rm.bytes])];
      }
    }
  }

  #conditional(): readonly Piece[] {
    const code = this.#random.below(16);
    const { prefix } = this.#wideSize();
    switch (this.#random.below(3)) {
      case 0: {
        const rm = this.#rm(0, true);
        return [...rm.before, piece(`set ${code}`, [0x0f, 0x90 + code, ...rm.bytes])];
      }
      case 1: {
        const rm = this.#rm(this.#register());
        return [...rm.before, piece(`cmov ${code}`, [...prefix, 0x0f, 0x40 + code, ...rm.bytes])];
      }
      default:
        // Over one increment, so that both ways differ.
        return this.#random.below(2) === 0
          ? [piece(`jcc ${code}`, [0x70 + code, 1]), piece('inc', [0x40 + this.#register()])]
          : [
              piece(`jcc near ${code}`, [0x0f, 0x80 + code, 1, 0, 0, 0]),
              piece('inc', [0x40 + this.#register()]),
            ];
    }
  }

  #multiply(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const undefinedFlags = SF | ZF | AF | PF;
    if (bits !== 8 && this.#random.below(2) === 0) {
      const rm = this.#rm(this.#register());
      const [opcode, tail] = this.#random.pick([
        [[0x0f, 0xaf], []],
        [[0x69], this.#immediate(bits)],
        [[0x6b], this.#immediate(8)],
      ] as const);
      return [
        ...rm.before,
        piece(`imul ${bits}`, [...prefix, ...opcode, ...rm.bytes, ...tail], undefinedFlags),
      ];
    }
    const kind = this.#random.pick([4, 5]);
    const rm = this.#rm(kind, bits === 8);
    return [
      ...rm.before,
      piece(`mul ${kind} ${bits}`, [...prefix, 0xf6 + wide, ...rm.bytes], undefinedFlags),
    ];
  }

  #divide(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const kind = this.#random.pick([6, 7]);
    const rm = this.#rm(kind, bits === 8);
    // A small upper half lets most divisions succeed.
    const high = this.#random.pick([0, 0, 1, 0xffffffff, this.#random.below(64), this.#random.u32()]);
    const before = this.#random.below(4) === 0 || rm.before.length > 0 ? [] : [mov(2, high)];
    return [
      ...rm.before,
      ...before,
      piece(`div ${kind} ${bits}`, [...prefix, 0xf6 + wide, ...rm.bytes], ALL),
    ];
  }

  #bits(): readonly Piece[] {
    const { prefix, bits } = this.#wideSize();
    const bitFlags = OF | SF | AF | PF;
    switch (this.#random.below(4)) {
      case 0: {
        const opcode = this.#random.pick([0xbc, 0xbd]);
        const rm = this.#rm(this.#register());
        return [...rm.before, piece('bsf/bsr', [...prefix, 0x0f, opcode, ...rm.bytes], ALL & ~ZF)];
      }
      case 1: {
        const rm = this.#rm(4 + this.#random.below(4));
        return [
          ...rm.before,
          piece('bt imm', [...prefix, 0x0f, 0xba, ...rm.bytes, this.#random.below(256)], bitFlags),
        ];
      }
      case 2: {
        const opcode = this.#random.pick([0xa3, 0xab, 0xb3, 0xbb]);
        const reg = this.#register();
        const modrm = 0xc0 | (reg << 3) | this.#register();
        return [piece('bt reg', [...prefix, 0x0f, opcode, modrm], bitFlags)];
      }
      default: {
        // The bit offset reaches up to 128 bytes around the middle of the window.
        const opcode = this.#random.pick([0xa3, 0xab, 0xb3, 0xbb]);
        const reg = this.#register();
        const offset = this.#random.below(2048) - 1024;
        const address = this.#window.start + this.#window.bytes / 2;
        return [
          mov(reg, offset),
          piece(`bt mem ${bits}`, [...prefix, 0x0f, opcode, (reg << 3) | 5, ...le32(address)], bitFlags),
        ];
      }
    }
  }

  #exchange(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const reg = bits === 8 ? this.#random.below(8) : this.#register();
    switch (this.#random.below(6)) {
      case 0: {
        const rm = this.#rm(reg, bits === 8);
        return [...rm.before, piece('xchg', [...prefix, 0x86 + wide, ...rm.bytes])];
      }
      case 1:
        return [piece('xchg acc', [...(bits === 16 ? prefix : []), 0x90 + this.#register()])];
      case 2: {
        const rm = this.#rm(reg, bits === 8);
        return [...rm.before, piece('xadd', [...prefix, 0x0f, 0xc0 + wide, ...rm.bytes])];
      }
      case 3: {
        const rm = this.#rm(reg, bits === 8);
        return [...rm.before, piece('cmpxchg', [...prefix, 0x0f, 0xb0 + wide, ...rm.bytes])];
      }
      case 4:
        return [piece('bswap', [0x0f, 0xc8 + this.#register()])];
      default: {
        const rm = this.#memory(1, this.#address());
        return [...rm.before, piece('cmpxchg8b', [0x0f, 0xc7, ...rm.bytes])];
      }
    }
  }

  /** Everything that uses the stack starts with one in the middle of the window. */
  #stack(): readonly Piece[] {
    const { prefix, bits } = this.#wideSize();
    const top = this.#window.start + this.#window.bytes / 2 - this.#random.below(64);
    const start = mov(ESP, top);
    const r = this.#random.below(8);
    switch (this.#random.below(9)) {
      case 0:
        return [start, piece('push', [...prefix, 0x50 + r])];
      case 1:
        return [start, piece('pop', [...prefix, 0x58 + this.#register()])];
      case 2: {
        const rm = this.#rm(6);
        return [start, ...rm.before, piece('push rm', [...prefix, 0xff, ...rm.bytes])];
      }
      case 3: {
        const rm = this.#rm(0);
        return [start, ...rm.before, piece('pop rm', [...prefix, 0x8f, ...rm.bytes])];
      }
      case 4:
        return [start, piece('pop [esp+disp]', [...prefix, 0x8f, 0x44, 0x24, this.#random.below(128)])];
      case 5:
        return [start, piece('pusha/popa', [...prefix, this.#random.pick([0x60, 0x61])])];
      case 6:
        return [
          start,
          mov(5, top + 32),
          piece('enter', [...prefix, 0xc8, this.#random.below(16), 0, this.#random.below(4)]),
          piece('leave', [...prefix, 0xc9]),
        ].slice(0, bits === 32 ? 4 : 3);
      case 7:
        // Under single-step TF stands in the pushed image, and it is taken out.
        return [start, piece('pushf', [0x9c]), piece('and [esp]', [0x81, 0x24, 0x24, ...le32(0xcd5)], AF)];
      default:
        return [
          start,
          piece('push imm', [0x68, ...le32((this.#random.u32() & (ALL | 0x400)) | 0x202)]),
          piece('popf', [0x9d]),
        ];
    }
  }

  #string(): readonly Piece[] {
    const { prefix, wide, bits } = this.#size();
    const opcode = this.#random.pick([0xa4, 0xa6, 0xaa, 0xac, 0xae]) + wide;
    const rep = this.#random.pick([[], [0xf2], [0xf3]]);
    const middle = this.#window.start + this.#window.bytes / 2;
    const near = (): number => middle - 32 + this.#random.below(64);
    return [
      piece('cld/std', [this.#random.pick([0xfc, 0xfd])]),
      mov(6, near()),
      mov(7, near()),
      mov(1, this.#random.below(12)),
      piece(`string ${opcode.toString(16)} ${bits}`, [...prefix, ...rep, opcode]),
    ];
  }

  #jump(): readonly Piece[] {
    const start = mov(ESP, this.#window.start + this.#window.bytes / 2);
    switch (this.#random.below(5)) {
      case 0:
        return [start, piece('call', [0xe8, 1, 0, 0, 0]), piece('inc', [0x40]), piece('pop', [0x58])];
      case 1:
        return [piece('jmp', [0xeb, 1]), piece('inc', [0x40])];
      case 2: {
        // Once around and out again.
        const code = this.#random.pick([0xe0, 0xe1, 0xe2]);
        return [mov(1, 1 + this.#random.below(3)), piece('inc', [0x42]), piece('loop', [code, 0xfd])];
      }
      case 3:
        return [mov(1, this.#random.below(2)), piece('jcxz', [0xe3, 1]), piece('inc', [0x40])];
      default:
        return [
          start,
          piece('call', [0xe8, 0, 0, 0, 0]),
          piece('add [esp]', [0x83, 0x04, 0x24, 5]),
          piece('ret', [0xc3]),
        ];
    }
  }

  #adjust(): readonly Piece[] {
    const n = this.#random.pick([10, 16, 3, 255, 1]);
    return [
      this.#random.pick([
        piece('daa', [0x27], OF),
        piece('das', [0x2f], OF),
        piece('aaa', [0x37], OF | SF | ZF | PF),
        piece('aas', [0x3f], OF | SF | ZF | PF),
        piece('aam', [0xd4, n], OF | AF | CF),
        piece('aad', [0xd5, n], OF | AF | CF),
      ]),
    ];
  }

  #oneByte(): readonly Piece[] {
    if (this.#random.below(4) === 0) return [mov(3, this.#window.start), piece('xlat', [0xd7])];
    const opcode = this.#random.pick([0xf8, 0xf9, 0xf5, 0xfc, 0xfd, 0x9e, 0x9f, 0x90, 0xd6]);
    return [piece(`one byte ${opcode.toString(16)}`, [opcode])];
  }
}
