/** The stack of an inner level, which the TSS names (Intel SDM 3, 5.8.5), and entering code there. */
import { DS, ES, FS, GS, type Machine, RSP, SS, STACK_FAULT, TR, TS } from '../machine.ts';
import { further, loadSystem } from '../memory.ts';
import { setStackPointer } from '../operands.ts';
import { PRESENT, setSegment } from '../segment-state.ts';
import { enterCode } from './enter-code.ts';
import { pushAll } from './frames.ts';
import {
  type Descriptor,
  dplOf,
  isWritableData,
  markAccessed,
  readDescriptor,
  selectorError,
  WIDE_TYPE,
} from './segments.ts';

/** SP of `level` in the TSS, and the selector of its segment. */
function stackInTss(m: Machine, level: number, ext: number): { sp: number; selector: number } {
  const size = (m.attributes[TR]! & WIDE_TYPE) !== 0 ? 4 : 2;
  const slot = size + level * 2 * size;
  if (slot + 2 * size - 1 > m.limits[TR]!) m.fault(TS, selectorError(m.selectors[TR]!) + ext);
  const at = further(m, m.bases[TR]!, slot);
  return { sp: loadSystem(m, at, size), selector: loadSystem(m, further(m, at, size), 2) };
}

function checkedStack(m: Machine, selector: number, level: number, ext: number): Descriptor {
  if ((selector & 0xfffc) === 0) m.fault(TS, ext);
  const d = readDescriptor(m, selector, TS, ext);
  const error = selectorError(selector) + ext;
  const wrong = (selector & 3) !== level || dplOf(d.attributes) !== level || !isWritableData(d.attributes);
  if (wrong) m.fault(TS, error);
  if ((d.attributes & PRESENT) === 0) m.fault(STACK_FAULT, error);
  return d;
}

/**
 * Enters `code` at an inner level: on that level's stack the old one's pointer is pushed, then `frame`. `ext` is what the error codes
 * of faults have in their EXT bit. From virtual-8086 mode the data segments are pushed first, and emptied.
 */
export function enterInner(
  m: Machine,
  code: Descriptor,
  level: number,
  ip: number,
  frame: readonly number[],
  size: number,
  ext: number,
): void {
  const { sp, selector } = stackInTss(m, level, ext);
  const d = checkedStack(m, selector, level, ext);
  const leaves8086 = m.virtual8086;
  const outer = {
    selector: m.selectors[SS]!,
    base: m.bases[SS]!,
    limit: m.limits[SS]!,
    attributes: m.attributes[SS]!,
    sp: m.g32[2 * RSP]!,
  };
  const data = leaves8086 ? [GS, FS, DS, ES].map((segment) => m.selectors[segment]!) : [];
  setSegment(m, SS, selector, d.base, d.limit, d.attributes);
  setStackPointer(m, sp);
  try {
    pushAll(m, [...data, outer.selector, outer.sp, ...frame], size);
    enterCode(m, code, level, ip);
    setSegment(m, SS, selector, d.base, d.limit, markAccessed(m, d));
  } catch (stopped) {
    setSegment(m, SS, outer.selector, outer.base, outer.limit, outer.attributes);
    m.g32[2 * RSP] = outer.sp;
    throw stopped;
  }
  if (leaves8086) for (const segment of [ES, DS, FS, GS]) setSegment(m, segment, 0, 0, 0, 0);
}
