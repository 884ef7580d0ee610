import { registers as registerNames } from '../../engine/abi/index.ts';
import type { RegisterValue } from '../../engine/trace/event.ts';
import { firstDifference } from '../emulate/capture/delta.ts';

/** What of an event and of the guest that was executed again is not the same. */
export type Found =
  /** A byte of guest memory, by its address. */
  | { readonly what: 'memory'; readonly gpa: bigint; readonly expected: number; readonly found: number }
  /** A byte of the message of an exit, or of the input of a hypercall. */
  | {
      readonly what: 'message' | 'input';
      readonly offset: number;
      readonly expected: number | undefined;
      readonly found: number | undefined;
    }
  | {
      readonly what: 'register';
      readonly register: string;
      readonly expected: bigint | undefined;
      readonly found: bigint | undefined;
    }
  /** It came to something else. */
  | { readonly what: 'stop'; readonly expected: string; readonly found: string };

/** The first byte in which two are not the same. */
export function differentBytes(
  what: 'message' | 'input',
  expected: Uint8Array = new Uint8Array(0),
  found: Uint8Array = new Uint8Array(0),
): Found | undefined {
  const [longer, other] = expected.length >= found.length ? [expected, found] : [found, expected];
  const offset = firstDifference(longer, other);
  return offset === undefined
    ? undefined
    : { what, offset, expected: expected[offset], found: found[offset] };
}

/**
 * The first register that a guest has otherwise than a stop says. `now` is what the guest has, undefined for what is not a register of its;
 * `found` is what it has changed, and `before` what that was: a register that came back to what it was may be named or not.
 */
export function differentRegister(
  expected: readonly RegisterValue[],
  found: readonly RegisterValue[],
  now: (name: number) => bigint | undefined,
  before: (name: number) => bigint | undefined,
): Found | undefined {
  const changed = new Map(found.map(({ name, value }) => [name, value]));
  for (const { name, value } of expected) {
    const has = changed.get(name) ?? now(name);
    changed.delete(name);
    if (has !== value) return { what: 'register', register: nameOf(name), expected: value, found: has };
  }
  for (const [name, value] of changed) {
    const was = before(name);
    if (was !== value) return { what: 'register', register: nameOf(name), expected: was, found: value };
  }
  return undefined;
}

const PENDING_INTERRUPTION = registerNames.number('PENDING_INTERRUPTION');

/** The register that says what the guest is about to take. */
export function isInterruption({ name, value }: RegisterValue): boolean {
  return name === PENDING_INTERRUPTION && value !== 0n;
}

const nameOf = (register: number): string =>
  registerNames.find(register)?.name ?? `0x${register.toString(16)}`;
