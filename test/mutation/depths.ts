/** What recorders see: a recording without what lies below or beside what one of them shows. */
import { replay } from '../../engine/replay/replay.ts';
import type { EventKind, TraceEvent } from '../../engine/trace/event.ts';
import type { Profile } from '../../engine/trace/profile.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { type Recording, sourceOf } from './corpus.ts';
import { renumbered, treesOf } from './order.ts';
import { finalOf } from './outcome.ts';

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
function midLife(
  { header, events }: Recording,
  depth: Depth,
  from: number,
): Pick<Recording, 'header' | 'events'> {
  const first = stimuliOf(events)[from]?.seq ?? 1;
  const profile: Profile = { ...header.profile, initial: 'unknown' };
  const later = renumbered(events.filter(({ seq }) => seq >= first));
  return { header: { ...header, profile }, events: depth.seen(later) };
}

/** A recording of which less is seen. */
export interface Less {
  readonly name: string;
  readonly depth: string;
  readonly isMidLife: boolean;
  recording(): Recording;
}

/** A recording at each depth, from its start, and from each of its stimuli on. */
export function seenLess(whole: Recording): Less[] {
  const { name, events } = whole;
  const starts = treesOf(events).map((_, from) => from);
  return DEPTHS.flatMap((depth) => {
    const at = `${name}, ${depth.name}`;
    const fromStart = () => ({ ...whole, name: at, events: depth.seen(events) });
    return [
      { name: at, depth: depth.name, isMidLife: false, recording: fromStart },
      ...starts.map((from) => {
        const later = `${at}, from ${from}`;
        const recording = () => ({ ...whole, name: later, ...midLife(whole, depth, from) });
        return { name: later, depth: depth.name, isMidLife: true, recording };
      }),
    ];
  });
}

/** Whether a recording of which less is seen diverges. */
export function diverges({ recording }: Less): boolean {
  const less = recording();
  return replay(sourceOf(less, less.events), SIDES).diverged > 0;
}

/**
 * Cells that number what a recording shows: events by their place in it; pages, runs of them, open files and states of CPU hotplug in the
 * order in which they come.
 */
const NUMBERS = [
  /\.creator$/,
  /^system\.nextFrame$|^hypervisor\.nextFrame$|^driver\.\w+\.cpu\[\d+\]\.\w+$/,
  /^driver\.\w+\.(?:hotplug|schedulerHotplug)$/,
  /\.run\[\d+\]|\.pool\.nextRun$/,
  /^driver\.mshv\.opens$|^process\[\d+\]\.fd\[\d+\]\.open$|^driver\.mshv\.vtl\.(?:vtls|sints|hvcalls|lows)$/,
];

/** Cells that a recording of a machine that was up already claims to know, and that are not so in the whole one. */
export function claimsWrongly(whole: ReadonlyMap<string, string>, { recording, name }: Less): string[] {
  const less = recording();
  return [...finalOf(sourceOf(less, less.events)).known]
    .filter(([path, value]) => !NUMBERS.some((each) => each.test(path)) && whole.get(path) !== value)
    .map(([path, value]) => `${name}: ${path} is ${whole.get(path)}, not ${value}`);
}
