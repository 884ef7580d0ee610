/** The stack, strings and jumps. */
import { AF, ALL, ESP, le32, mov, type Operands, type Piece, piece } from './operands.ts';

/** Everything that uses the stack starts with one in the middle of the window. */
export function stack(o: Operands): readonly Piece[] {
  const { prefix, bits } = o.wideSize();
  const top = o.window.start + o.window.bytes / 2 - o.random.below(64);
  const start = mov(ESP, top);
  const r = o.random.below(8);
  switch (o.random.below(9)) {
    case 0:
      return [start, piece('push', [...prefix, 0x50 + r])];
    case 1:
      return [start, piece('pop', [...prefix, 0x58 + o.register()])];
    case 2: {
      const rm = o.rm(6);
      return [start, ...rm.before, piece('push rm', [...prefix, 0xff, ...rm.bytes])];
    }
    case 3: {
      const rm = o.rm(0);
      return [start, ...rm.before, piece('pop rm', [...prefix, 0x8f, ...rm.bytes])];
    }
    case 4:
      return [start, piece('pop [esp+disp]', [...prefix, 0x8f, 0x44, 0x24, o.random.below(128)])];
    case 5:
      return [start, piece('pusha/popa', [...prefix, o.random.pick([0x60, 0x61])])];
    case 6:
      return [
        start,
        mov(5, top + 32),
        piece('enter', [...prefix, 0xc8, o.random.below(16), 0, o.random.below(4)]),
        piece('leave', [...prefix, 0xc9]),
      ].slice(0, bits === 32 ? 4 : 3);
    case 7:
      // Under single-step TF stands in the pushed image, and it is taken out.
      return [start, piece('pushf', [0x9c]), piece('and [esp]', [0x81, 0x24, 0x24, ...le32(0xcd5)], AF)];
    default:
      return [
        start,
        piece('push imm', [0x68, ...le32((o.random.u32() & (ALL | 0x400)) | 0x202)]),
        piece('popf', [0x9d]),
      ];
  }
}

export function string(o: Operands): readonly Piece[] {
  const { prefix, wide, bits } = o.size();
  const opcode = o.random.pick([0xa4, 0xa6, 0xaa, 0xac, 0xae]) + wide;
  const rep = o.random.pick([[], [0xf2], [0xf3]]);
  const middle = o.window.start + o.window.bytes / 2;
  const near = (): number => middle - 32 + o.random.below(64);
  return [
    piece('cld/std', [o.random.pick([0xfc, 0xfd])]),
    mov(6, near()),
    mov(7, near()),
    mov(1, o.random.below(12)),
    piece(`string ${opcode.toString(16)} ${bits}`, [...prefix, ...rep, opcode]),
  ];
}

export function jump(o: Operands): readonly Piece[] {
  const start = mov(ESP, o.window.start + o.window.bytes / 2);
  switch (o.random.below(5)) {
    case 0:
      return [start, piece('call', [0xe8, 1, 0, 0, 0]), piece('inc', [0x40]), piece('pop', [0x58])];
    case 1:
      return [piece('jmp', [0xeb, 1]), piece('inc', [0x40])];
    case 2: {
      // Once around and out again.
      const code = o.random.pick([0xe0, 0xe1, 0xe2]);
      return [mov(1, 1 + o.random.below(3)), piece('inc', [0x42]), piece('loop', [code, 0xfd])];
    }
    case 3:
      return [mov(1, o.random.below(2)), piece('jcxz', [0xe3, 1]), piece('inc', [0x40])];
    default:
      return [
        start,
        piece('call', [0xe8, 0, 0, 0, 0]),
        piece('add [esp]', [0x83, 0x04, 0x24, 5]),
        piece('ret', [0xc3]),
      ];
  }
}
