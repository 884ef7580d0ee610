/** Random 64-bit instructions: those of 32-bit code with REX prefixes, and what there is only here. */
import * as arithmetic from './arithmetic.ts';
import * as data from './data.ts';
import { AF, ALL, le32, OF, type Piece, piece } from './operands.ts';
import { sse } from './sse.ts';
import { vectors } from './vectors.ts';
import { mov64, type Operands64 } from './wide-operands.ts';

const RSP = 4;
const LEGACY_PREFIXES: readonly number[] = [0x66, 0xf0, 0xf2, 0xf3];

/** Families of 32-bit code of which some forms are something else here: those are left out. */
const families: readonly ((o: Operands64) => readonly Piece[])[] = [
  arithmetic.alu,
  arithmetic.alu,
  arithmetic.aluImmediate,
  arithmetic.unary,
  arithmetic.shift,
  arithmetic.shift,
  arithmetic.doubleShift,
  arithmetic.multiply,
  arithmetic.divide,
  arithmetic.bits,
  data.extend,
  data.exchange,
];
const NOT_HERE = /^(?:bt mem|xchg acc)/;

/** The REX prefix stands between the others and the opcode. */
function withRex(p: Piece, rex: number): Piece {
  const at = p.bytes.findIndex((byte) => !LEGACY_PREFIXES.includes(byte));
  const wide = (rex & 8) !== 0;
  // Counts reach 63 there, so that what a count of 32 bits leaves defined is not.
  const shifts = wide && /shift/.test(p.name) ? OF | AF : 0;
  return {
    bytes: [...p.bytes.slice(0, at), rex, ...p.bytes.slice(at)],
    name: `${p.name} rex ${rex.toString(16)}`,
    undefinedFlags: p.undefinedFlags | shifts,
  };
}

function extended(o: Operands64): readonly Piece[] {
  o.rex = 0;
  o.inMemory = false;
  const pieces = o.random.pick(families)(o);
  const main = pieces.at(-1);
  if (main === undefined || NOT_HERE.test(main.name) || /^mov/.test(main.name)) return extended(o);
  let rex = o.rex;
  // An operand size of 16 bits and one of 64 exclude each other: immediates would have another length.
  if (main.bytes[0] !== 0x66 && o.random.below(2) === 0) rex |= 8;
  if (!o.inMemory && o.random.below(2) === 0) rex |= o.random.below(2);
  if (rex === 0 && o.random.below(3) !== 0) return pieces;
  return [...pieces.slice(0, -1), withRex(main, 0x40 | rex)];
}

function size(o: Operands64): { prefix: number[]; name: string } {
  return o.random.pick([
    { prefix: [0x66], name: '16' },
    { prefix: [], name: '32' },
    { prefix: [0x48], name: '64' },
  ]);
}

function move(o: Operands64): readonly Piece[] {
  o.rex = 0;
  const r = o.random.below(8);
  switch (o.random.below(6)) {
    case 0:
      return [mov64(r === RSP ? 12 : r, o.random.value64())];
    case 1: {
      const { before, bytes } = o.memory(r === RSP ? 0 : r, o.address());
      const rex = 0x48 | o.rex | (o.random.below(2) << 2);
      return [...before, piece('mov 64', [rex, o.random.pick([0x89, 0x8b]), ...bytes])];
    }
    case 2: {
      const { before, bytes } = o.memory(o.register(), o.random.u32());
      return [...before, piece('lea 64', [0x40 | o.rex | (o.random.below(2) << 3), 0x8d, ...bytes])];
    }
    case 3: {
      const { before, bytes } = o.memory(o.register(), o.address());
      return [...before, piece('movsxd', [0x48 | o.rex, 0x63, ...bytes])];
    }
    case 4:
      // Relative to the next instruction: its own last bytes.
      return [piece('mov rip', [0x48, 0x8b, (o.register() << 3) | 5, ...le32(-7)])];
    default: {
      const { prefix, name } = size(o);
      return [piece(`cbw/cwd ${name}`, [...prefix, o.random.pick([0x98, 0x99])])];
    }
  }
}

function conditional(o: Operands64): readonly Piece[] {
  const code = o.random.below(16);
  const modrm = 0xc0 | (o.register() << 3) | o.random.below(8);
  const next = piece('inc', [0x48, 0xff, 0xc0 | o.register()]);
  return o.random.pick([
    [piece(`set ${code}`, [0x40, 0x0f, 0x90 + code, 0xc0 | o.register()])],
    [piece(`cmov ${code}`, [...size(o).prefix, 0x0f, 0x40 + code, modrm])],
    [piece(`jcc ${code}`, [0x70 + code, 3]), next],
  ]);
}

function stack(o: Operands64): readonly Piece[] {
  const start = mov64(RSP, BigInt(o.window.start + o.window.bytes / 2 - o.random.below(64)));
  const r = o.register();
  const wide = o.random.pick([[], [0x41], [0x66]]);
  return o.random.pick([
    [start, piece('push', [...wide, 0x50 + r])],
    [start, piece('pop', [...wide, 0x58 + r])],
    [start, piece('push imm', [0x68, ...le32(o.random.value())])],
    [start, piece('pop [rsp+disp]', [0x8f, 0x44, 0x24, o.random.below(128)])],
    [start, piece('call', [0xe8, 3, 0, 0, 0]), piece('inc', [0x48, 0xff, 0xc0]), piece('pop', [0x58])],
    [start, piece('enter', [0xc8, o.random.below(16), 0, 0]), piece('leave', [0xc9])],
    [start, piece('popf', [0x48, 0x9d], 0)].slice(0, 1),
  ]);
}

function string(o: Operands64): readonly Piece[] {
  const middle = o.window.start + o.window.bytes / 2;
  const near = (): bigint => BigInt(middle - 32 + o.random.below(64));
  const opcode = o.random.pick([0xa5, 0xa7, 0xab, 0xad, 0xaf]);
  const prefix = [...o.random.pick([[], [0xf2], [0xf3]]), ...o.random.pick([[], [0x48]])];
  return [
    piece('cld/std', [o.random.pick([0xfc, 0xfd])]),
    mov64(6, near()),
    mov64(7, near()),
    mov64(1, BigInt(o.random.below(8))),
    piece(`string ${opcode.toString(16)}`, [...prefix, opcode]),
  ];
}

function exchange16(o: Operands64): readonly Piece[] {
  o.rex = 0;
  const address = (o.address() & ~15) + 16;
  const { before, bytes } = o.memory(1, Math.min(address, o.window.start + o.window.bytes - 32));
  return [...before, piece('cmpxchg16b', [0x48 | o.rex, 0x0f, 0xc7, ...bytes], ALL & 0)];
}

const kinds: readonly ((o: Operands64) => readonly Piece[])[] = [
  ...[extended, extended, extended, move, conditional, stack, string, exchange16],
  ...[sse, sse, sse, sse],
  ...[vectors, vectors, vectors, vectors],
];

/** The pieces of one instruction, those that prepare it first. */
export function nextInstruction64(o: Operands64): readonly Piece[] {
  return o.random.pick(kinds)(o);
}
