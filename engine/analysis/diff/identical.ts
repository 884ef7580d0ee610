import { sameBytes } from '../../abi/bytes.ts';
import type { EventSource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import type { Events } from './events.ts';

/** How many events two traces begin with that are the same bit for bit, under one profile: 0 where a replay could tell them apart. */
export function identicalEvents(a: EventSource, b: EventSource, events: readonly [Events, Events]): number {
  if (a.start !== undefined || b.start !== undefined) return 0;
  if (
    !isSame(a.header, b.header) ||
    !isSame([...a.childKinds].sort(byText), [...b.childKinds].sort(byText))
  ) {
    return 0;
  }
  const [one, other] = events;
  const most = Math.min(one.count, other.count);
  let n = 0;
  while (n < most && isSame(one.at(n), other.at(n))) n++;
  return n;
}

/** Where and when an event stands, which is not looked at where two are compared. */
const STANDING: ReadonlySet<string> = new Set(['seq', 'parent', 't', 'tEnd']);

/** Whether two events are the same bit for bit but for their places and times. */
export function isAlike(a: TraceEvent, b: TraceEvent): boolean {
  const keys = Object.keys(a) as (keyof TraceEvent)[];
  if (a.kind !== b.kind || keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => a[key] === b[key] || STANDING.has(key) || isSame(a[key], b[key]));
}

/** Whether two values of plain data are the same. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b);
  if (a instanceof Map)
    return (
      b instanceof Map && isSame([...a.keys()], [...b.keys()]) && isSame([...a.values()], [...b.values()])
    );
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
