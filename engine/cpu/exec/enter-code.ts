/** Loading CS, for all that transfers control to a segment. */
import { CANONICAL_END, CS, GP, type Machine } from '../machine.ts';
import { BIG, LONG, setSegment } from '../segment-state.ts';
import { type Descriptor, markAccessed, selectorError } from './segments.ts';

/** #GP beyond the limit of a segment, or where an address of 64-bit code is not canonical. */
export function checkOffset(m: Machine, d: Descriptor, ip: number): void {
  if (!m.longMode || (d.attributes & LONG) === 0) {
    if (ip > d.limit) m.fault(GP, 0);
  } else if ((d.attributes & BIG) !== 0) m.fault(GP, selectorError(d.selector));
  else if (!(ip < CANONICAL_END && ip >= -CANONICAL_END)) m.fault(GP, 0);
}

/** Loads CS with a checked descriptor; the selector's RPL becomes `level`. */
export function enterCode(m: Machine, d: Descriptor, level: number, ip: number): void {
  checkOffset(m, d, ip);
  setSegment(m, CS, (d.selector & 0xfffc) | level, d.base, d.limit, markAccessed(m, d));
  m.ip = ip;
}
