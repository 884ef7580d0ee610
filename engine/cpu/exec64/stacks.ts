/** Stacks of long mode that the TSS names, and frames on them. */
import { selectorError } from '../exec/segments.ts';
import { CANONICAL_END, CS, type Machine, SS, STACK_FAULT, TR, TS } from '../machine.ts';
import { loadSystem, probeWrite, storeLinear8 } from '../memory.ts';
import { setSegment } from '../segment-state.ts';
import { highHalf, joined, lowHalf, writeRegister8 } from '../wide-operands.ts';

/** Where in the TSS the stacks of levels begin. */
export const FIRST_LEVEL_STACK = 4;

/** The stack pointer at `offset` in the TSS. */
export function stackOf(m: Machine, offset: number): number {
  if (offset + 7 > m.limits[TR]!) m.fault(TS, selectorError(m.selectors[TR]!));
  const at = m.bases[TR]! + offset;
  const sp = joined(loadSystem(m, at, 4), loadSystem(m, at + 4, 4));
  if (!(sp < CANONICAL_END && sp >= -CANONICAL_END)) m.fault(STACK_FAULT, 0);
  return sp;
}

/** SS of a level of 64-bit code that has no segment for its stack. */
export function setNullStack(m: Machine, selector: number, level: number): void {
  setSegment(m, SS, selector, 0, 0, level << 5);
}

/** Pushes low and high halves of words below `top`; nothing is written unless all can be. */
export function pushFrame(m: Machine, top: number, words: readonly number[]): void {
  const count = words.length / 2;
  probeWrite(m, top - 8 * count, 8 * count);
  for (let n = 0; n < count; n += 1) storeLinear8(m, top - 8 * (n + 1), words[2 * n]!, words[2 * n + 1]!);
  const sp = top - 8 * count;
  writeRegister8(m, 8, lowHalf(sp), highHalf(sp));
}

/** Gives CS and SS back as they are now. */
export function savedSegments(m: Machine): () => void {
  const parts = [CS, SS].map((segment) => ({
    segment,
    selector: m.selectors[segment]!,
    base: m.bases[segment]!,
    limit: m.limits[segment]!,
    attributes: m.attributes[segment]!,
  }));
  return () => {
    for (const { segment, selector, base, limit, attributes } of parts)
      setSegment(m, segment, selector, base, limit, attributes);
  };
}
