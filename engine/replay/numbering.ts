import { type Address, at, RETURN_SUB } from '../trace/position.ts';

/**
 * How events below a stimulus get their addresses. `derive`: recorded events keep their numbers and what the
 * engine works out stands at `seq.k`. `record`: everything is about to be recorded and takes the next number.
 */
export type Numbering = 'derive' | 'record';

/** Address of the return of the call at `seq`. */
export function returnOf(seq: number): Address {
  return at(seq, RETURN_SUB);
}
