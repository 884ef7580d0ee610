/** What recorders see: a recording without what lies below or beside what one of them shows. */
import type { EventKind, TraceEvent } from '../../engine/trace/event.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import type { Recording } from './corpus.ts';
import { renumbered } from './order.ts';

export interface Depth {
  readonly name: string;
  /** The events that are seen, each with what caused it where that is seen too. */
  readonly seen: (events: readonly TraceEvent[]) => TraceEvent[];
}

const only =
  (...kinds: readonly EventKind[]) =>
  (events: readonly TraceEvent[]) =>
    renumbered(
      events.filter(({ kind }) => kinds.includes(kind)),
      events,
    );

const stimuliOf = (events: readonly TraceEvent[]) => events.filter(({ parent }) => parent === undefined);

export const DEPTHS: readonly Depth[] = [
  { name: 'with all below', seen: (events) => [...events] },
  { name: 'stimuli alone', seen: (events) => renumbered(stimuliOf(events)) },
  {
    name: 'calls of programs alone',
    seen: (events) => only('ioctl', 'fd')(stimuliOf(events)),
  },
  { name: 'calls and hypercalls', seen: only('ioctl', 'fd', 'hypercall') },
  { name: 'calls and stops of VPs', seen: only('ioctl', 'fd', 'intercept') },
  { name: 'hypercalls alone', seen: only('hypercall') },
  { name: 'MSRs alone', seen: only('msr') },
  { name: 'hypercalls and MSRs', seen: only('hypercall', 'msr') },
  { name: 'messages and MSRs', seen: only('message', 'msr') },
];

/** The recording at a depth, from its n-th stimulus on, of a machine that was up already. */
export function midLife({ name, header, events }: Recording, depth: Depth, from: number): Recording {
  const first = stimuliOf(events)[from]?.seq ?? 1;
  const profile: Profile = { ...header.profile, initial: 'unknown' };
  const later = renumbered(events.filter(({ seq }) => seq >= first));
  return {
    name: `${name}, ${depth.name}, from ${from}`,
    header: { ...header, profile },
    events: depth.seen(later),
  };
}
