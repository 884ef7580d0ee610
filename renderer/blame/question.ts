import type { EventRow } from '../../engine/app/api.ts';

/** The answer that is asked for, by kind of event: that which says whether it worked. */
const FIELDS: Readonly<Record<string, string>> = {
  msr: 'fault',
  hypercall: 'status',
  ioctl: 'ret',
  fd: 'ret',
  lifecycle: 'ret',
};

/** How blame names the answer of an event; undefined for one that has none. */
export function questionOf({ at, kind }: Pick<EventRow, 'at' | 'kind'>): string | undefined {
  const field = FIELDS[kind];
  return field === undefined ? undefined : `${at}.${field}`;
}
