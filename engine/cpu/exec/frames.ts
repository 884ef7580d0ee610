/** What calls, interrupts and exceptions push. */
import { RF, readFlags } from '../flags.ts';
import { DB, DOUBLE_FAULT, type EventSource, type Machine, SS } from '../machine.ts';
import { probeStore, store } from '../memory.ts';
import { setStackPointer, stackOffset } from '../operands.ts';
import { highHalf, lowHalf, store8 } from '../wide-operands.ts';

/** Pushes in order; nothing is written unless all can be. */
export function pushAll(m: Machine, values: readonly number[], size: number): void {
  values.forEach((_, n) => {
    probeStore(m, SS, stackOffset(m, -size * (n + 1)), size);
  });
  values.forEach((value, n) => {
    const at = stackOffset(m, -size * (n + 1));
    if (size === 8) store8(m, SS, at, lowHalf(value), highHalf(value));
    else store(m, SS, at, size, value);
  });
  setStackPointer(m, stackOffset(m, -size * values.length));
}

/** A fault's frame has RF, so that the instruction runs again without its breakpoint (Intel SDM 3, 19.3.1.1). */
export function pushedFlags(m: Machine, vector: number, source: EventSource): number {
  const isFault = source === 'exception' && vector !== DB && vector !== DOUBLE_FAULT;
  return isFault ? readFlags(m) | RF : readFlags(m);
}
