import { msrs } from '../abi/lookup/msrs.ts';
import { hexOf } from '../abi/text.ts';
import type { CellHint } from './schema.ts';

/** What a cell's value means, by name: the bit fields of an MSR, the flags set, the name of an enum value. */
export function decodeCell(hint: CellHint, value: bigint): Record<string, string> {
  switch (hint.as) {
    case 'msr': {
      const decoded: Record<string, string> = {};
      for (const bit of msrs.find(hint.msr)?.bits ?? []) {
        const part = (value >> BigInt(bit.lsb)) & ((1n << BigInt(bit.width)) - 1n);
        if (bit.alternative || (bit.reserved && part === 0n)) continue;
        decoded[bit.name] = bit.width === 1 ? String(part) : hexOf(part);
      }
      return decoded;
    }
    case 'enum':
      return { name: hint.names[Number(value)] ?? hexOf(value) };
    case 'flags': {
      const set = hint.names.filter((_, i) => ((value >> BigInt(i)) & 1n) === 1n);
      return { set: set.join(' ') };
    }
    case 'bool':
      return { is: value === 0n ? 'no' : 'yes' };
    case 'dec':
    case 'partition':
      return { decimal: String(value) };
    case 'time':
      return { ns: String(value) };
    default:
      return {};
  }
}

/** Name of a hint for `--json`: `hex`, `msr HV_X64_MSR_SIMP`, … */
export function hintName(hint: CellHint): string {
  return hint.as === 'msr' ? `msr ${msrs.name(hint.msr)}` : hint.as;
}
