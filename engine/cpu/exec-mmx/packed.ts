/** Integers in lanes of 8 bytes: operations on 16, of which the result is one half. */
import { ssse3 } from '../exec-sse/integers.ts';
import type { Operation } from '../exec-sse/operands.ts';
import { packed, shiftGroups } from '../exec-sse/packed.ts';
import { alignRight, shuffleBytes, shuffles, shuffleWords } from '../exec-sse/shuffle.ts';
import type { Execute } from '../instruction.ts';
import { XMM_WORK } from '../machine.ts';
import { begin, onMmx, put, ready, registerOf, take } from './operands.ts';

const each = (
  operations: Readonly<Record<number, Operation>>,
  execute: (operation: Operation) => Execute,
): Readonly<Record<number, Execute>> =>
  Object.fromEntries(Object.entries(operations).map(([opcode, operation]) => [opcode, execute(operation)]));

const some = (
  from: Readonly<Record<number, Operation>>,
  opcodes: readonly number[],
): Record<number, Operation> => Object.fromEntries(opcodes.map((opcode) => [opcode, from[opcode]!]));

/** PUNPCKHBW and its like give the upper half of what their lower ones give of 16 bytes. */
const unpackHigh = (opcode: number): Execute => onMmx(shuffles[opcode - 8]!, { half: 1 });

/** By the opcode behind 0F. */
export const mmx: Readonly<Record<number, Execute>> = {
  ...each(packed, (operation) => onMmx(operation)),
  ...each(some(shuffles, [96, 97, 98]), (operation) => onMmx(operation, { bytes: 4 })),
  ...each(some(shuffles, [99, 103, 107]), (operation) => onMmx(operation, { joined: true })),
  104: unpackHigh(104),
  105: unpackHigh(105),
  106: unpackHigh(106),
};
/** PSHUFW. */
export const shuffle = onMmx(shuffleWords(0));

/** Eight bytes are chosen by three bits. */
const shuffleEight: Operation = (m, to, from) => {
  for (let n = 0; n < 8; n += 1) m.x8[16 * from + n] = m.x8[16 * from + n]! & 0x87;
  shuffleBytes(m, to, from, 0);
};

/** By the opcode behind 0F 38. */
export const mmx38: Readonly<Record<number, Execute>> = {
  ...each(ssse3, (operation) => onMmx(operation)),
  ...each(some(ssse3, [1, 2, 3, 5, 6, 7]), (operation) => onMmx(operation, { joined: true })),
  0: onMmx(shuffleEight),
};

/** PALIGNR: the destination stands in the source's upper half. */
export const align = onMmx((m, to, from, imm) => {
  m.x64[2 * from + 1] = m.x64[2 * to]!;
  m.x64[2 * to] = 0n;
  alignRight(m, to, from, imm);
});

/** Shifts of a register by an immediate. */
const shifted =
  (operation: Operation): Execute =>
  (m, i) => {
    ready(m, i);
    begin(m);
    take(m, XMM_WORK, registerOf(i));
    operation(m, XMM_WORK, XMM_WORK, i.imm);
    put(m, registerOf(i), XMM_WORK);
  };

/** By the opcode behind 0F and ModRM.reg. */
export const shifts: Readonly<Record<number, Readonly<Record<number, Execute>>>> = {
  113: each(shiftGroups[113]!, shifted),
  114: each(shiftGroups[114]!, shifted),
  115: each(some(shiftGroups[115]!, [2, 6]), shifted),
};
