/** Near calls and returns as the last instruction of a block that is in one page. */
import { target } from '../exec/control.ts';
import { PAGE_BYTES } from '../guest-memory.ts';
import type { Instruction } from '../instruction.ts';
import type { Machine } from '../machine.ts';
import { joined } from '../wide-operands.ts';
import { drop4, drop8, peek4, peekBoth, push4, pushBoth } from './access.ts';
import { HOT } from './forms.ts';

// Constants of this module: see access.ts.
const { OUTSIDE } = HOT;
const AT_MASK = PAGE_BYTES - 1;
const PAGE_MASK = -PAGE_BYTES;

/** The target: an offset in the page; or OUTSIDE, and `Machine.ip` is set. */
export function callNear(m: Machine, i: Instruction): number {
  if (i.to === OUTSIDE) {
    const to = target(m, m.pageIp + i.from + i.imm, i.size);
    pushBack(m, i);
    m.ip = to;
  } else pushBack(m, i);
  return i.to;
}

function pushBack(m: Machine, i: Instruction): void {
  const low = (m.pageLow + i.from) | 0;
  if (i.size === 8) pushBoth(m, low, m.pageHigh);
  else push4(m, low);
}

/** As `callNear`. */
export function returnNear(m: Machine, i: Instruction): number {
  const wide = i.size === 8;
  const low = wide ? peekBoth(m) : peek4(m);
  const high = wide ? m.high : 0;
  const inside = high === m.pageHigh && (low & PAGE_MASK) === m.pageLow;
  if (!inside) m.ip = target(m, joined(low, high), i.size);
  if (wide) drop8(m);
  else drop4(m);
  return inside ? low & AT_MASK : OUTSIDE;
}
