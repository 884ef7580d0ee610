import { hexOf } from '../text.ts';
import type { BitValue } from './bits.ts';

/**
 * One short line of what is set: names of single bits, `name 0x…` of wider fields, reserved ones only when they
 * are not zero; `0` when nothing is set.
 */
export function summarizeBits(bits: readonly BitValue[]): string {
  const parts: string[] = [];
  for (const { name, width, value } of bits) {
    if (value === 0n) continue;
    parts.push(width === 1 ? name : `${name} ${hexOf(value)}`);
  }
  return parts.length === 0 ? '0' : parts.join(', ');
}
