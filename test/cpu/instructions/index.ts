/**
 * Random 32-bit instructions, and the flags that each leaves undefined (Intel SDM 2). What needs pointers or small counts
 * is preceded by moves that make them.
 */
import * as arithmetic from './arithmetic.ts';
import * as data from './data.ts';
import * as flow from './flow.ts';
import type { Operands, Piece } from './operands.ts';
import { vectors } from './vectors.ts';

export { Operands, type Piece, type Window } from './operands.ts';
export { nextInstruction64 } from './wide.ts';
export { Operands64 } from './wide-operands.ts';

/** Each as likely as the others; what has many forms stands twice. */
const families: readonly ((o: Operands) => readonly Piece[])[] = [
  arithmetic.alu,
  arithmetic.alu,
  arithmetic.aluImmediate,
  arithmetic.unary,
  arithmetic.shift,
  arithmetic.shift,
  arithmetic.doubleShift,
  data.move,
  data.extend,
  data.conditional,
  arithmetic.multiply,
  arithmetic.divide,
  arithmetic.bits,
  data.exchange,
  flow.stack,
  flow.string,
  flow.jump,
  arithmetic.adjust,
  data.oneByte,
  ...[vectors, vectors, vectors, vectors],
];

/** The pieces of one instruction, those that prepare it first. */
export function nextInstruction(o: Operands): readonly Piece[] {
  return o.random.pick(families)(o);
}
