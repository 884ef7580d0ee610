import { NR } from '../../native/numbers.ts';
import { flaggedMappingsWithin } from '../../process/mappings.ts';
import type { Detour } from './ptrace.ts';

/** PROT_… bits by flag. */
const PROTECTIONS = [
  ['rd', 1],
  ['wr', 2],
  ['ex', 4],
] as const;
const READ_WRITE = 3;
/** What a program asked for by madvise(), by flag: MADV_DONTFORK and MADV_DONTDUMP. */
const ADVICE = [
  ['dc', 10],
  ['dd', 16],
] as const;

/** What holds of a range of the program's memory and would not of another mapping in its place. */
export interface Attributes {
  readonly from: number;
  readonly length: number;
  readonly protection: number;
  readonly advice: readonly number[];
}

export function attributesOf(pid: number, start: number, length: number): Attributes[] {
  return flaggedMappingsWithin(pid, start, length).map(({ start: first, end, flags }) => {
    const from = Math.max(start, first);
    return {
      from,
      length: Math.min(start + length, end) - from,
      protection: PROTECTIONS.reduce((bits, [flag, bit]) => (flags.has(flag) ? bits | bit : bits), 0),
      advice: ADVICE.flatMap(([flag, advice]) => (flags.has(flag) ? [advice] : [])),
    };
  });
}

/** Has a thread of the program give its new memory what the old had. */
export function restoreAttributes(detour: Detour, all: readonly Attributes[]): void {
  for (const { from, length, protection, advice } of all) {
    for (const each of advice) detour.call(NR.madvise, from, length, each);
    if (protection !== READ_WRITE) detour.call(NR.mprotect, from, length, protection);
  }
}
