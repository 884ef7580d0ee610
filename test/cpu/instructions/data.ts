/** Moves, conversions, exchanges, conditional instructions. */
import { le16, le32, mov, type Operands, type Piece, piece } from './operands.ts';

export function move(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const reg = bits === 8 ? o.random.below(8) : o.register();
  switch (o.random.below(7)) {
    case 0:
    case 1: {
      const rm = o.rm(reg, bits === 8);
      const opcode = o.random.pick([0x88, 0x8a]) + wide;
      return [...rm.before, piece(`mov ${bits}`, [...prefix, opcode, ...rm.bytes])];
    }
    case 2: {
      const rm = o.rm(0, bits === 8);
      return [...rm.before, piece('mov imm', [...prefix, 0xc6 + wide, ...rm.bytes, ...o.immediate(bits)])];
    }
    case 3: {
      const opcode = o.random.pick([0xa0, 0xa2]) + wide;
      return [piece('mov moffs', [...prefix, opcode, ...le32(o.address())])];
    }
    case 4: {
      const rm = o.memory(o.register(), o.random.u32());
      const wideOnly = bits === 8 ? [] : prefix;
      return [...rm.before, piece('lea', [...wideOnly, 0x8d, ...rm.bytes])];
    }
    case 5: {
      const narrow = o.random.below(8);
      const mod = o.random.below(3);
      const short = mod === 0 && narrow === 6;
      const tail = mod === 1 ? [o.random.below(256)] : mod === 2 || short ? le16(o.random.u32()) : [];
      const modrm = (mod << 6) | (o.register() << 3) | narrow;
      return [piece('lea 16', [...(bits === 16 ? [0x66] : []), 0x67, 0x8d, modrm, ...tail])];
    }
    default: {
      const rm = o.rm(3, false);
      return [...rm.before, piece('mov r/m, ds', [...prefix, 0x8c, ...rm.bytes])];
    }
  }
}

export function extend(o: Operands): readonly Piece[] {
  const { prefix } = o.wideSize();
  switch (o.random.below(4)) {
    case 0:
      return [piece('cbw', [...prefix, 0x98])];
    case 1:
      return [piece('cwd', [...prefix, 0x99])];
    default: {
      const opcode = o.random.pick([0xb6, 0xb7, 0xbe, 0xbf]);
      const rm = o.rm(o.register(), (opcode & 1) === 0);
      return [...rm.before, piece(`extend ${opcode.toString(16)}`, [...prefix, 0x0f, opcode, ...rm.bytes])];
    }
  }
}

export function conditional(o: Operands): readonly Piece[] {
  const code = o.random.below(16);
  const { prefix } = o.wideSize();
  switch (o.random.below(3)) {
    case 0: {
      const rm = o.rm(0, true);
      return [...rm.before, piece(`set ${code}`, [0x0f, 0x90 + code, ...rm.bytes])];
    }
    case 1: {
      const rm = o.rm(o.register());
      return [...rm.before, piece(`cmov ${code}`, [...prefix, 0x0f, 0x40 + code, ...rm.bytes])];
    }
    default:
      // Over one increment, so that both ways differ.
      return o.random.below(2) === 0
        ? [piece(`jcc ${code}`, [0x70 + code, 1]), piece('inc', [0x40 + o.register()])]
        : [piece(`jcc near ${code}`, [0x0f, 0x80 + code, 1, 0, 0, 0]), piece('inc', [0x40 + o.register()])];
  }
}

export function exchange(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const reg = bits === 8 ? o.random.below(8) : o.register();
  switch (o.random.below(6)) {
    case 0: {
      const rm = o.rm(reg, bits === 8);
      return [...rm.before, piece('xchg', [...prefix, 0x86 + wide, ...rm.bytes])];
    }
    case 1:
      return [piece('xchg acc', [...(bits === 16 ? prefix : []), 0x90 + o.register()])];
    case 2: {
      const rm = o.rm(reg, bits === 8);
      return [...rm.before, piece('xadd', [...prefix, 0x0f, 0xc0 + wide, ...rm.bytes])];
    }
    case 3: {
      const rm = o.rm(reg, bits === 8);
      return [...rm.before, piece('cmpxchg', [...prefix, 0x0f, 0xb0 + wide, ...rm.bytes])];
    }
    case 4:
      return [piece('bswap', [0x0f, 0xc8 + o.register()])];
    default: {
      const rm = o.memory(1, o.address());
      return [...rm.before, piece('cmpxchg8b', [0x0f, 0xc7, ...rm.bytes])];
    }
  }
}

export function oneByte(o: Operands): readonly Piece[] {
  if (o.random.below(4) === 0) return [mov(3, o.window.start), piece('xlat', [0xd7])];
  const opcode = o.random.pick([0xf8, 0xf9, 0xf5, 0xfc, 0xfd, 0x9e, 0x9f, 0x90, 0xd6]);
  return [piece(`one byte ${opcode.toString(16)}`, [opcode])];
}
