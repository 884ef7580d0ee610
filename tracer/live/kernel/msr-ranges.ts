/** MSRs from `first` to `last`, both included. */
export interface MsrRange {
  readonly first: number;
  readonly last: number;
}

/** The synthetic MSRs, with the nested aliases of SynIC's (TLFS, synthetic MSRs; Linux 7.2 asm/hyperv-tlfs.h). */
export const SYNTHETIC_MSRS: MsrRange = { first: 0x4000_0000, last: 0x4000_10ff };

const MSR = /^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i;

/** Reads `0x6e0,0x800-0x83f`; undefined where it is no such list. */
export function parseMsrRanges(text: string): MsrRange[] | undefined {
  const ranges: MsrRange[] = [];
  for (const part of text.split(',')) {
    const [from = '', to = from, more] = part.trim().split('-');
    if (!MSR.test(from) || !MSR.test(to) || more !== undefined) return undefined;
    const [first, last] = [Number(from), Number(to)];
    if (first > last || last > 0xffff_ffff) return undefined;
    ranges.push({ first, last });
  }
  return ranges;
}

/** A filter of tracefs on `field` (Linux Documentation/trace/events.rst, event filtering). */
export function msrFilter(field: string, ranges: readonly MsrRange[]): string {
  return ranges
    .map(({ first, last }) =>
      first === last
        ? `${field} == 0x${first.toString(16)}`
        : `(${field} >= 0x${first.toString(16)} && ${field} <= 0x${last.toString(16)})`,
    )
    .join(' || ');
}
