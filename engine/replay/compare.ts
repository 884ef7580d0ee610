import type { AnswerRule } from '../machine/child.ts';
import { type Address, formatAddress } from '../trace/position.ts';

/** The engine's answer differs from the recorded one. `expected` is the engine's, `actual` the recorded one. */
export interface Divergence {
  readonly at: string;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly rule: AnswerRule;
}

/** Counts what was compared and keeps what differed. */
export class Verdict {
  checked = 0;
  unmodelled = 0;
  readonly divergences: Divergence[] = [];

  /** Compares one field of an answer or request. */
  field(at: Address, field: string, expected: unknown, actual: unknown, rule: AnswerRule): void {
    this.checked++;
    if (expected !== actual) this.differs(at, field, printed(expected), printed(actual), rule);
  }

  differs(at: Address, field: string, expected: string, actual: string, rule: AnswerRule): void {
    this.divergences.push({ at: formatAddress(at), field, expected, actual, rule });
  }
}

function printed(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : String(value);
}

/** Index of the first byte that differs (a shorter array differs where it ends), or -1. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : n;
}

/** Compares two byte strings as one field; a difference is named by its first byte. */
export function compareBytes(
  at: Address,
  field: string,
  expected: Uint8Array,
  actual: Uint8Array,
  verdict: Verdict,
  rule: string,
): void {
  verdict.checked++;
  const byte = firstDifference(expected, actual);
  if (byte < 0) return;
  verdict.differs(at, field, bytesAt(expected, byte), bytesAt(actual, byte), rule);
}

/** `0x10: 01 00 00 00 …`: eight bytes from the first difference on. */
function bytesAt(bytes: Uint8Array, offset: number): string {
  const shown = [...bytes.subarray(offset, offset + 8)].map((b) => b.toString(16).padStart(2, '0'));
  return `0x${offset.toString(16)}: ${shown.length === 0 ? 'end' : shown.join(' ')}`;
}
