import type { AnswerRule, Emitted, Request } from '../machine/child.ts';
import type { TraceEvent } from '../trace/event.ts';
import { type Address, at as addressAt, formatAddress } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import { describe } from './describe.ts';

/** The engine's answer differs from the recorded one. `expected` is the engine's, `actual` the recorded one. */
export interface Divergence {
  readonly at: string;
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  readonly rule: AnswerRule;
}

/** A trace of another machine differs everywhere: what comes after so many is only counted (some 30 MB). */
export const KEPT_DIVERGENCES = 100_000;

/** Counts what was compared and keeps what differed. */
export class Verdict {
  checked = 0;
  /** Divergences, kept or not. */
  diverged = 0;
  unmodelled = 0;
  readonly divergences: Divergence[] = [];

  /** Compares one field of an answer or request. */
  field(at: Address, field: string, expected: unknown, actual: unknown, rule: AnswerRule): void {
    this.checked++;
    if (expected !== actual) this.differs(at, field, printed(expected), printed(actual), rule);
  }

  /** Another event than the engine's own, or one of them alone. */
  event(seq: number, expected: Request | Emitted | undefined, actual: TraceEvent | undefined): void {
    const text = (event: typeof expected | typeof actual) =>
      event === undefined ? 'nothing' : describe(event);
    this.differs(addressAt(seq), 'event', text(expected), text(actual), 'drivers.sequence');
  }

  /** An event below one that is not open: one too many where that is over, else below what no rule covers. */
  orphan(event: TraceEvent, isOver: boolean, kernel: Profile['kernel']): void {
    if (isOver) this.event(event.seq, undefined, event);
    else if (kernel !== 'unknown') this.unmodelled++;
  }

  differs(at: Address, field: string, expected: string, actual: string, rule: AnswerRule): void {
    this.diverged++;
    if (this.divergences.length >= KEPT_DIVERGENCES) return;
    this.divergences.push({ at: formatAddress(at), field, expected, actual, rule });
  }
}

function printed(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : String(value);
}

/**
 * Index of the first byte that differs (a shorter array differs where it ends), or -1; bytes from `from` up to but
 * not including `to` are not looked at.
 */
function firstDifference(a: Uint8Array, b: Uint8Array, from: number, to: number): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    if (i === from && to > from) i = to;
    if (i < n && a[i] !== b[i]) return i;
  }
  return a.length === b.length ? -1 : n;
}

const NO_BYTES: readonly [number, number] = [0, 0];

/**
 * Compares two byte strings as one field; a difference is named by its first byte. Nobody can know the bytes of
 * `bound`, first and first after them.
 */
export function compareBytes(
  at: Address,
  field: string,
  expected: Uint8Array,
  actual: Uint8Array,
  verdict: Verdict,
  rule: string,
  [from, to]: readonly [from: number, to: number] = NO_BYTES,
): void {
  verdict.checked++;
  const byte = firstDifference(expected, actual, from, to);
  if (byte < 0) return;
  const own = expected.slice();
  if (to > from) own.set(actual.subarray(from, Math.min(to, own.length)), from);
  verdict.differs(at, field, bytesAt(own, byte), bytesAt(actual, byte), rule);
}

/** `0x10: 01 00 00 00 …`: eight bytes from the first difference on. */
function bytesAt(bytes: Uint8Array, offset: number): string {
  const shown = [...bytes.subarray(offset, offset + 8)].map((b) => b.toString(16).padStart(2, '0'));
  return `0x${offset.toString(16)}: ${shown.length === 0 ? 'end' : shown.join(' ')}`;
}
