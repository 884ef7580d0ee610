/** Segment registers as state: what follows from base, limit and attributes. Loading them: exec/segments.ts. */
import { CS, FS, type Machine, SS } from './machine.ts';

const CODE = 0x8;
/** Of data segments: grows down. */
const EXPAND_DOWN = 0x4;
/** Of data segments: writable; of code segments: readable. */
const ACCESS = 0x2;
export const NON_SYSTEM = 0x10;
export const PRESENT = 0x80;
/** D or B: 32-bit code or stack. */
export const BIG = 0x4000;

/** L: 64-bit code, where long mode is active. */
export const LONG = 0x2000;

/** What fast system calls load instead of descriptors: 4 GiB from 0 on, accessed (code with BIG or LONG). */
export const FLAT_LIMIT = 0xffffffff;
export const FLAT_CODE = 0x809b;
export const FLAT_DATA = 0xc093;
/** DPL 3 of a segment. */
export const LEVEL_3 = 0x60;

/** Limit of segments that an access cannot use at all. */
const NOTHING = -1;
/** Limit of segments whose valid offsets lie above their limit: the slow path decides. */
export const ABOVE_LIMIT = -2;

export function expandsDown(attributes: number): boolean {
  return (attributes & (CODE | EXPAND_DOWN)) === EXPAND_DOWN;
}

/** Works out the derived state of a segment register after any of its parts was written. */
export function segmentWritten(m: Machine, segment: number): void {
  const attributes = m.attributes[segment]!;
  const limit = m.limits[segment]!;
  const inUse = (attributes & PRESENT) !== 0 && (attributes & NON_SYSTEM) !== 0;
  const code = (attributes & CODE) !== 0;
  const readable = inUse && (!code || (attributes & ACCESS) !== 0 || !m.protectedMode);
  const writable = inUse && (!m.protectedMode || (!code && (attributes & ACCESS) !== 0));
  const extent = expandsDown(attributes) ? ABOVE_LIMIT : limit;
  m.readLimits[segment] = readable ? extent : NOTHING;
  m.writeLimits[segment] = writable ? extent : NOTHING;
  const whole = limit === 0xffffffff && extent === limit && m.bases[segment] === 0;
  m.flat[segment] = whole && readable && writable ? 1 : 0;
  // Of 64-bit mode only two bases are left, and no limits.
  if (m.code64) m.flat[segment] = segment < FS || m.bases[segment] === 0 ? 1 : 0;
  if (segment === SS) {
    m.stackMask = (attributes & BIG) !== 0 ? -1 : 0xffff;
    m.setUser(m.cpl === 3);
  }
  if (segment === CS) {
    const code64 = m.longMode && (attributes & LONG) !== 0;
    m.code32 = (attributes & BIG) !== 0 && !code64;
    m.codeBase = code64 ? 0 : m.bases[CS]!;
    m.codeLimit = code64 ? Number.POSITIVE_INFINITY : limit;
    if (m.code64 !== code64) {
      m.code64 = code64;
      for (let other = 0; other < 6; other += 1) segmentWritten(m, other);
    }
  }
}

/** Writes a whole segment register. */
export function setSegment(
  m: Machine,
  segment: number,
  selector: number,
  base: number,
  limit: number,
  attributes: number,
): void {
  m.selectors[segment] = selector;
  m.bases[segment] = base;
  m.limits[segment] = limit;
  m.attributes[segment] = attributes;
  segmentWritten(m, segment);
}

/** A segment load in real mode: the base follows the selector, limit and attributes stay (unreal mode lives on). */
export function setRealSegment(m: Machine, segment: number, selector: number): void {
  m.selectors[segment] = selector;
  m.bases[segment] = (selector & 0xffff) * 16;
  segmentWritten(m, segment);
}
