/** Which function stands in for which in 64-bit mode. */
import { lar, lsl } from '../exec/access-rights.ts';
import * as alu from '../exec/alu.ts';
import * as bits from '../exec/bits.ts';
import * as control from '../exec/control.ts';
import * as far from '../exec/far.ts';
import * as moves from '../exec/moves.ts';
import * as multiply from '../exec/multiply.ts';
import * as segments from '../exec/segments.ts';
import * as shifts from '../exec/shifts.ts';
import * as stack from '../exec/stack.ts';
import { string } from '../exec/strings.ts';
import { sysexit } from '../exec/sysenter.ts';
import * as system from '../exec/system.ts';
import type { Execute } from '../instruction.ts';
import { coprocessor } from '../x87/index.ts';
import * as alu8 from './alu.ts';
import * as bits8 from './bits.ts';
import * as far8 from './far.ts';
import { swapgs, syscall, sysret } from './far.ts';
import * as moves8 from './moves.ts';
import * as multiply8 from './multiply.ts';
import * as shifts8 from './shifts.ts';
import * as stack8 from './stack.ts';
import * as system8 from './system.ts';

export { swapgs, syscall, sysret } from './far.ts';
export { movRegImm64, movRmImm } from './moves.ts';

type Functions = Readonly<Record<string, unknown>>;

/** Those of `wide` by the functions of the same name. */
function pairs(narrow: Functions, wide: Functions): [Execute, Execute][] {
  return Object.entries(wide).flatMap(([name, execute]) => {
    const other = narrow[name];
    return typeof other === 'function' ? [[other as Execute, execute as Execute]] : [];
  });
}

/** With operands of 64 bits. */
export const WIDE: ReadonlyMap<Execute, Execute> = new Map([
  ...pairs(alu, alu8),
  ...pairs(bits, bits8),
  ...pairs(moves, moves8),
  ...pairs(multiply, multiply8),
  ...pairs(shifts, shifts8),
  ...pairs(stack, stack8),
  ...pairs(control, stack8),
  ...pairs(segments, stack8),
  [moves.cmpxchg8b, moves8.cmpxchg16b],
]);

/** With operands of any size. */
export const LONG_ONLY: ReadonlyMap<Execute, Execute> = new Map([
  ...pairs(far, far8),
  ...pairs(system, system8),
  [moves.xlat, system8.xlat],
  [control.loop, stack8.loop],
]);

/** Operands have 64 bits without a prefix: the stack and near transfers (Intel SDM 2, 2.2.1.7). */
export const BRANCHES: ReadonlySet<Execute> = new Set([
  control.call,
  control.callRm,
  control.jmp,
  control.jmpRm,
  control.jcc,
  control.loop,
  control.ret,
]);
export const STACK: ReadonlySet<Execute> = new Set([
  ...[stack.pushRm, stack.pushImm, stack.popRm, stack.pushf, stack.popf, stack.enter, stack.leaveFrame],
  ...[segments.pushSeg, segments.popSeg],
]);

/** Do the same with any operand size, or ask for it themselves. */
export const ANY_SIZE: ReadonlySet<Execute> = new Set([
  ...[control.jmp, control.jcc, segments.popSeg, segments.movRmSeg, segments.movSegRm],
  ...[syscall, sysret, sysexit, swapgs, system.vmcall, system.clac, system.stac, system.rdtscp],
  ...[lar, lsl, coprocessor],
  ...[segments.storeLdtr, segments.storeTr, segments.lldt, segments.ltr, moves.nop, string],
]);
