/** How much a flight recorder keeps: the last events, those of the last time, or as many as have so many bytes. */
export interface RingLimit {
  readonly kind: 'events' | 'bytes' | 'ns';
  readonly most: number;
}

const UNITS: ReadonlyMap<string, RingLimit> = new Map([
  ['', { kind: 'events', most: 1 }],
  ['kB', { kind: 'bytes', most: 1e3 }],
  ['MB', { kind: 'bytes', most: 1e6 }],
  ['GB', { kind: 'bytes', most: 1e9 }],
  ['ms', { kind: 'ns', most: 1e6 }],
  ['s', { kind: 'ns', most: 1e9 }],
  ['min', { kind: 'ns', most: 60e9 }],
]);

/** Reads `200000`, `64MB`, `30s`; undefined for anything else. */
export function readRingLimit(text: string): RingLimit | undefined {
  const [, digits = '', unit = ''] = /^([1-9][0-9]{0,8})([A-Za-z]*)$/.exec(text) ?? [];
  const one = UNITS.get(unit);
  return digits === '' || one === undefined ? undefined : { kind: one.kind, most: Number(digits) * one.most };
}

/** A stretch is an eighth of what is kept; where that is not given in events, about so many. */
const STRETCHES = 8;
const EVENTS = { least: 64, some: 1024, most: 4096 } as const;

/** Events after which a flight recorder of that size wants the machine's state. */
export function stretchOf({ kind, most }: RingLimit): number {
  if (kind !== 'events') return EVENTS.some;
  return Math.min(Math.max(Math.ceil(most / STRETCHES), EVENTS.least), EVENTS.most);
}
