/** Single changes of a recording, each of which is a difference in meaning. */

import { isPageMsr } from '../../engine/analysis/diff/compare.ts';
import { diff } from '../../engine/analysis/diff/diff.ts';
import { lanesOf, shapeOf } from '../../engine/analysis/diff/lanes.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { timeNs } from '../../engine/trace/position.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { mutationsOf } from '../mutation/answers.ts';
import { type Recording, sourceOf } from '../mutation/corpus.ts';
import { renumbered } from '../mutation/order.ts';
import { generator } from '../mutation/random.ts';
import { changesOf } from '../mutation/stimuli.ts';
import { lineOf } from '../mutation/text.ts';
import { whole } from './traces.testing.ts';

/** What docs/diff.md says is not compared: times, remarks, numbers of processes and threads, where a thread ran, what a run chose. */
const NOT_COMPARED =
  /(?: (?:t|note|tid|pid|inputGpa|outputGpa|addr)$)|(?:_ptr|gpa_page_list|map_location|monitor_page|userspace_addr)|(?:^(?:ioctl|fd|hypercall|page) .* cpu$)/;

export interface Change {
  readonly what: string;
  readonly recording: Recording;
  /** The event that was changed, in the whole recording. */
  readonly seq: number;
  readonly events: readonly TraceEvent[];
}

/** One change by a seed: a field of a stimulus or of an answer, or an event that is dropped, doubled or swapped with the actor's next. */
export function changeBy(seed: number, recordings: readonly Recording[]): Change {
  const random = generator(seed);
  for (;;) {
    const recording = recordings[random(recordings.length)] as Recording;
    const { events, header } = recording;
    const event = events[random(events.length)] as TraceEvent;
    const index = event.seq - 1;
    const made = (what: string, changed: readonly TraceEvent[]): Change => {
      return { what: `${recording.name} ${event.seq}: ${what}`, recording, seq: event.seq, events: changed };
    };
    if (event.kind === 'mark') continue;
    const leaf = !events.some(({ parent }) => parent === event.seq);
    switch (random(5)) {
      case 0:
        if (leaf) return made('dropped', renumbered(events.toSpliced(index, 1), events));
        break;
      case 1: {
        if (!leaf) break;
        const doubled = events.flatMap((each, i) => (i === index ? [each, each] : [each]));
        return made(
          'doubled',
          doubled.map((each, i) => moved(each, i, index)),
        );
      }
      case 2: {
        const { of } = lanesOf(events, events.length);
        const other = events[index + 1];
        if (other === undefined || of[index] !== of[index + 1] || shapeOf(event) === shapeOf(other)) break;
        if (other.parent === event.seq) break;
        const swapped = [
          { ...other, seq: event.seq, t: event.t },
          { ...event, seq: other.seq, t: other.t },
        ];
        const uses = events.some(({ parent }) => parent === event.seq || parent === other.seq);
        if (!uses) return made('swapped', events.toSpliced(index, 2, ...(swapped as TraceEvent[])));
        break;
      }
      default: {
        const changes = [
          ...changesOf(event, header.profile).filter(({ field }) => !NOT_COMPARED.test(field)),
          ...mutationsOf(event).filter(({ field }) => !NOT_COMPARED.test(field)),
        ];
        const change = changes[random(changes.length)];
        if (change === undefined || isFrameAlone(event, change.changed())) break;
        return made(change.field, events.with(index, change.changed()));
      }
    }
  }
}

/** Which page the kernel took is its choice. */
function isFrameAlone(event: TraceEvent, changed: TraceEvent): boolean {
  if (event.kind !== 'msr' || changed.kind !== 'msr' || !isPageMsr(event.msr)) return false;
  const [before, after] = [event.value ?? 0n, changed.value ?? 0n];
  return event.msr === changed.msr && before !== after && ((before ^ after) & 0xfffn) === 0n;
}

/** An event behind the doubled one has a number more. */
function moved(event: TraceEvent, place: number, doubled: number): TraceEvent {
  const { parent } = event;
  const above = parent !== undefined && parent > doubled + 1 ? parent + 1 : parent;
  return { ...event, seq: place + 1, ...(above === undefined ? {} : { parent: above }) } as TraceEvent;
}

/** What is told as the first difference where the change is not; undefined where it is. */
export function missed({ recording, events, seq, what }: Change): string | undefined {
  const { first } = diff(whole(recording), sourceOf(recording, events), SIDES);
  const places = first === undefined ? [] : [first.a, first.b];
  // Of some that are alike it cannot be told which was dropped or doubled.
  const line = (each: TraceEvent | undefined): string =>
    each === undefined ? '' : lineOf(recording.header, { ...each, t: timeNs(0) });
  const alike = /(?:dropped|doubled)$/.test(what) ? line(recording.events[seq - 1]) : undefined;
  const isIt = (place: number | undefined): boolean => {
    if (place === undefined) return false;
    if (place === seq || (what.endsWith('swapped') && place === seq + 1)) return true;
    return line(recording.events[place - 1]) === alike || line(events[place - 1]) === alike;
  };
  return places.some(isIt) ? undefined : `${what}: ${JSON.stringify(first)}`;
}
