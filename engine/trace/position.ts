/** A recorded event's number: 1-based, dense, in order of entry. */
export type Seq = number & { readonly __seq: unique symbol };

/** Integer nanoseconds since the start of the trace; exact to 2^53 ns (104 days). */
export type TimeNs = number & { readonly __timeNs: unique symbol };

/** `sub` of an {@link Address} that names the point right after a call returned (`812r`). */
export const RETURN_SUB = 0xffff_ffff;

/**
 * Where something stands in a trace. `sub` 0 is the recorded event itself, 1, 2, … the events derived below
 * it in depth-first order, {@link RETURN_SUB} the point right after the call returned.
 */
export interface Address {
  readonly seq: Seq;
  readonly sub: number;
}

/** The initial state, before the first event: position `0`. */
export const ORIGIN: Address = { seq: 0 as Seq, sub: 0 };

/** True for a whole number from 0 on that is exact (below 2^53). */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function seqOf(value: number): Seq {
  if (!isCount(value)) throw new RangeError(`not an event number: ${value}`);
  return value as Seq;
}

export function timeNs(value: number): TimeNs {
  if (!isCount(value)) throw new RangeError(`not a time in ns: ${value}`);
  return value as TimeNs;
}

/** Address of a recorded event. */
export function at(seq: number, sub = 0): Address {
  return { seq: seqOf(seq), sub };
}

/** Prints `812`, `812.3` or `812r`. */
export function formatAddress(address: Address): string {
  if (address.sub === 0) return String(address.seq);
  return address.sub === RETURN_SUB ? `${address.seq}r` : `${address.seq}.${address.sub}`;
}

const ADDRESS = /^(0|[1-9][0-9]{0,15})(r|\.[1-9][0-9]{0,8})?$/;

/** Reads `812`, `812.3` or `812r`; undefined when the text is not a position. */
export function parseAddress(text: string): Address | undefined {
  const match = ADDRESS.exec(text);
  if (match === null) return undefined;
  const seq = Number(match[1]);
  if (!Number.isSafeInteger(seq)) return undefined;
  const tail = match[2];
  if (tail === undefined) return at(seq);
  if (seq === 0) return undefined;
  return at(seq, tail === 'r' ? RETURN_SUB : Number(tail.slice(1)));
}

/**
 * Total order of addresses: by event, then the derived events below it, then its return. (In time, a return
 * may stand later than the events that follow its call: replay keeps that order, see engine/replay.)
 */
export function compareAddresses(a: Address, b: Address): number {
  return a.seq - b.seq || a.sub - b.sub;
}
