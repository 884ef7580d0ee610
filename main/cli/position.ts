import type { History } from '../../engine/replay/history.ts';
import { type Address, parseAddress } from '../../engine/trace/position.ts';
import { Problem } from './problem.ts';

/** A position given on the command line; it must exist in the trace. */
export function positionIn(command: string, history: History, text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) {
    throw new Problem(`${command}: ${JSON.stringify(text)} is not a position; such as 812, 812.3 or 812r`);
  }
  if (history.has(address)) return address;
  if (address.seq > history.events) {
    throw new Problem(`${command}: position ${text} is beyond the last event, ${history.events}`);
  }
  throw new Problem(
    `${command}: event ${address.seq} has no position ${text}; ${history.derivedBelow(address.seq)} events are derived below it`,
  );
}
