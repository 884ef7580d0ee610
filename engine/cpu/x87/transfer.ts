/** Loads and stores (Intel SDM 1, 8.3.3): what is stored is rounded first, and an unmasked exception keeps memory as it was. */
import type { Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { decimal, narrowed, ofDecimal, whole, widened } from './convert.ts';
import { type Extended, INDEFINITE } from './extended.ts';
import { bitsOf, ofBits, probe, read, write } from './operands.ts';
import { ofWhole } from './remainder.ts';
import { BEFORE, Calculation, IE, OE, UE } from './round.ts';
import { begin, finish, isEmpty, pop, push, readStack, stackFault } from './unit.ts';

/** Rounding control of the control word: towards zero. */
const TRUNCATES = 0xc00;

/** A number of memory; a signaling NaN is the arithmetic's business. */
export function numberOf(m: Machine, i: Instruction, c: Calculation, bytes: 4 | 8): Extended {
  return widened(c, read(m, i, bytes), bytes);
}

/** A whole number of memory. */
export function wholeOf(m: Machine, i: Instruction, bytes: 2 | 4 | 8): Extended {
  return ofWhole(BigInt.asIntN(8 * bytes, read(m, i, bytes)));
}

export function loadNumber(m: Machine, i: Instruction, bytes: 4 | 8): void {
  const c = begin(m);
  const value = numberOf(m, i, c, bytes);
  // A full stack is found before the number is looked at.
  if (!isEmpty(m, 7)) {
    push(m, value);
    return;
  }
  const loaded = c.quieten(value);
  // A denormal number is none any more: it is pushed also where that is told.
  if (!finish(m, c, IE)) push(m, loaded);
}

export function loadWhole(m: Machine, i: Instruction, bytes: 2 | 4 | 8): void {
  push(m, wholeOf(m, i, bytes));
}

export function loadExtended(m: Machine, i: Instruction): void {
  push(m, ofBits(read(m, i, 10)));
}

export function loadDecimal(m: Machine, i: Instruction): void {
  const { sign, magnitude } = ofDecimal(read(m, i, 10));
  push(m, { ...ofWhole(magnitude), sign });
}

/** Stores what `convert` makes of ST(0). */
function storeAs(
  m: Machine,
  i: Instruction,
  bytes: number,
  pops: boolean,
  convert: (c: Calculation, value: Extended) => bigint,
  control = m.fpControl,
): void {
  probe(m, i, bytes);
  const c = new Calculation(control);
  if (isEmpty(m, 0)) {
    if (stackFault(m, false)) return;
    write(m, i, bytes, convert(c, INDEFINITE));
  } else {
    const value = convert(c, readStack(m, 0));
    if (!c.unmasked(BEFORE | OE | UE)) write(m, i, bytes, value);
    if (finish(m, c, BEFORE | OE | UE)) return;
  }
  if (pops) pop(m);
}

export function storeNumber(m: Machine, i: Instruction, bytes: 4 | 8, pops: boolean): void {
  storeAs(m, i, bytes, pops, (c, value) => narrowed(c, value, bytes));
}

export function storeWhole(m: Machine, i: Instruction, bytes: 2 | 4 | 8, pops: boolean): void {
  storeAs(m, i, bytes, pops, (c, value) => whole(c, value, 8 * bytes));
}

/** FISTTP, of SSE3: whatever the control word's rounding is. */
export function storeTruncated(m: Machine, i: Instruction, bytes: 2 | 4 | 8): void {
  storeAs(m, i, bytes, true, (c, value) => whole(c, value, 8 * bytes), m.fpControl | TRUNCATES);
}

export function storeExtended(m: Machine, i: Instruction): void {
  storeAs(m, i, 10, true, (_, value) => bitsOf(value));
}

export function storeDecimal(m: Machine, i: Instruction): void {
  storeAs(m, i, 10, true, decimal);
}
