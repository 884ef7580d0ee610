/** Arithmetic, logic, shifts, bits. */
import { AF, ALL, CF, le32, mov, OF, type Operands, PF, type Piece, piece, SF, ZF } from './operands.ts';

export function alu(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const kind = o.random.below(9);
  const logic = kind === 1 || kind === 4 || kind === 6 || kind === 8;
  const opcode = kind === 8 ? 0x84 + wide : kind * 8 + o.random.pick([0, 2]) + wide;
  const reg = bits === 8 ? o.random.below(8) : o.register();
  const rm = o.rm(reg, bits === 8);
  return [...rm.before, piece(`alu ${kind} ${bits}`, [...prefix, opcode, ...rm.bytes], logic ? AF : 0)];
}

export function aluImmediate(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const kind = o.random.below(8);
  const undefinedFlags = kind === 1 || kind === 4 || kind === 6 ? AF : 0;
  if (o.random.below(3) === 0)
    return [
      piece(
        `alu acc ${kind} ${bits}`,
        [...prefix, kind * 8 + 4 + wide, ...o.immediate(bits)],
        undefinedFlags,
      ),
    ];
  const short = wide === 1 && o.random.below(2) === 0;
  const rm = o.rm(kind, bits === 8);
  const immediate = short ? [o.random.below(256)] : o.immediate(bits);
  const opcode = short ? 0x83 : 0x80 + wide;
  return [
    ...rm.before,
    piece(`alu imm ${kind} ${bits}`, [...prefix, opcode, ...rm.bytes, ...immediate], undefinedFlags),
  ];
}

export function unary(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const [opcode, reg, name] = o.random.pick([
    [0xfe, 0, 'inc'],
    [0xfe, 1, 'dec'],
    [0xf6, 2, 'not'],
    [0xf6, 3, 'neg'],
  ] as const);
  const lockable = o.rm(reg, bits === 8, o.random.below(4) === 0);
  const memory = (lockable.bytes[0] ?? 0) < 0xc0;
  const lock = memory && o.random.below(3) === 0 ? [0xf0] : [];
  return [
    ...lockable.before,
    piece(`${name} ${bits}`, [...lock, ...prefix, opcode + wide, ...lockable.bytes]),
  ];
}

export function shift(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const kind = o.random.below(8);
  const count = o.random.below(3) === 0 ? o.random.below(256) : o.random.below(34);
  const rotates = kind < 4;
  const cut = count & 31;
  const flags = (n: number): number => {
    if (n === 0) return 0;
    // OF for counts other than 1; CF of SHL and SHR by more than the operand has bits.
    return (n === 1 ? 0 : OF) | (rotates ? 0 : AF) | (!rotates && n > bits - 1 ? CF : 0);
  };
  const name = `shift ${kind} ${bits} by ${cut}`;
  switch (o.random.below(3)) {
    case 0: {
      const rm = o.rm(kind, bits === 8);
      return [...rm.before, piece(name, [...prefix, 0xc0 + wide, ...rm.bytes, count], flags(cut))];
    }
    case 1: {
      const rm = o.rm(kind, bits === 8);
      return [
        ...rm.before,
        piece(`shift ${kind} ${bits} by one`, [...prefix, 0xd0 + wide, ...rm.bytes], flags(1)),
      ];
    }
    default: {
      const rm = o.rm(kind, bits === 8);
      // ECX may be part of the address: only a register operand, or one by absolute offset, is taken with CL.
      if (rm.before.length > 0) return rm.before;
      return [
        piece('mov cl', [0xb1, count]),
        piece(`${name} cl`, [...prefix, 0xd2 + wide, ...rm.bytes], flags(cut)),
      ];
    }
  }
}

export function doubleShift(o: Operands): readonly Piece[] {
  const { prefix, bits } = o.wideSize();
  // A 16-bit operand shifted by more than 16 is undefined altogether.
  const count = o.random.below(bits === 16 ? 17 : 32);
  const opcode = o.random.pick([0xa4, 0xac]);
  const rm = o.rm(o.register(), false);
  const flags = count === 0 ? 0 : AF | (count === 1 ? 0 : OF);
  const name = `double shift ${opcode.toString(16)} ${bits} by ${count}`;
  if (rm.before.length > 0 || o.random.below(2) === 0)
    return [...rm.before, piece(name, [...prefix, 0x0f, opcode, ...rm.bytes, count], flags)];
  return [piece('mov cl', [0xb1, count]), piece(name, [...prefix, 0x0f, opcode + 1, ...rm.bytes], flags)];
}

export function multiply(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const undefinedFlags = SF | ZF | AF | PF;
  if (bits !== 8 && o.random.below(2) === 0) {
    const rm = o.rm(o.register());
    const [opcode, tail] = o.random.pick([
      [[0x0f, 0xaf], []],
      [[0x69], o.immediate(bits)],
      [[0x6b], o.immediate(8)],
    ] as const);
    return [
      ...rm.before,
      piece(`imul ${bits}`, [...prefix, ...opcode, ...rm.bytes, ...tail], undefinedFlags),
    ];
  }
  const kind = o.random.pick([4, 5]);
  const rm = o.rm(kind, bits === 8);
  return [...rm.before, piece(`mul ${kind} ${bits}`, [...prefix, 0xf6 + wide, ...rm.bytes], undefinedFlags)];
}

export function divide(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const kind = o.random.pick([6, 7]);
  const rm = o.rm(kind, bits === 8);
  // A small upper half lets most divisions succeed.
  const high = o.random.pick([0, 0, 1, 0xffffffff, o.random.below(64), o.random.u32()]);
  const before = o.random.below(4) === 0 || rm.before.length > 0 ? [] : [mov(2, high)];
  return [...rm.before, ...before, piece(`div ${kind} ${bits}`, [...prefix, 0xf6 + wide, ...rm.bytes], ALL)];
}

export function bits(o: Operands): readonly Piece[] {
  const { prefix, bits } = o.wideSize();
  const bitFlags = OF | SF | AF | PF;
  switch (o.random.below(4)) {
    case 0: {
      const opcode = o.random.pick([0xbc, 0xbd]);
      const rm = o.rm(o.register());
      return [...rm.before, piece('bsf/bsr', [...prefix, 0x0f, opcode, ...rm.bytes], ALL & ~ZF)];
    }
    case 1: {
      const rm = o.rm(4 + o.random.below(4));
      return [
        ...rm.before,
        piece('bt imm', [...prefix, 0x0f, 0xba, ...rm.bytes, o.random.below(256)], bitFlags),
      ];
    }
    case 2: {
      const opcode = o.random.pick([0xa3, 0xab, 0xb3, 0xbb]);
      const reg = o.register();
      const modrm = 0xc0 | (reg << 3) | o.register();
      return [piece('bt reg', [...prefix, 0x0f, opcode, modrm], bitFlags)];
    }
    default: {
      // The bit offset reaches up to 128 bytes around the middle of the window.
      const opcode = o.random.pick([0xa3, 0xab, 0xb3, 0xbb]);
      const reg = o.register();
      const offset = o.random.below(2048) - 1024;
      const address = o.window.start + o.window.bytes / 2;
      return [
        mov(reg, offset),
        piece(`bt mem ${bits}`, [...prefix, 0x0f, opcode, (reg << 3) | 5, ...le32(address)], bitFlags),
      ];
    }
  }
}

export function adjust(o: Operands): readonly Piece[] {
  const n = o.random.pick([10, 16, 3, 255, 1]);
  return [
    o.random.pick([
      piece('daa', [0x27], OF),
      piece('das', [0x2f], OF),
      piece('aaa', [0x37], OF | SF | ZF | PF),
      piece('aas', [0x3f], OF | SF | ZF | PF),
      piece('aam', [0xd4, n], OF | AF | CF),
      piece('aad', [0xd5, n], OF | AF | CF),
    ]),
  ];
}
