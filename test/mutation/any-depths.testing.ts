/** Generated sequences at every depth: recordings of what any-stimuli.testing.ts makes, as a recorder of less leaves them. */
import type { Stimulus } from '../../engine/drivers/any-stimuli.testing.ts';
import { TwoSides } from '../../engine/drivers/two-sides.testing.ts';
import type { LifecycleEvent, TraceEvent } from '../../engine/trace/event.ts';
import type { JsonObject } from '../../engine/trace/text/json.ts';
import type { Recording } from './corpus.ts';
import { type Less, seenLess } from './depths.ts';

/** After these nothing runs that ran before, the recorder neither. */
const ENDING: ReadonlySet<LifecycleEvent['what']> = new Set([
  'kexec',
  'reboot',
  'crash',
  'power-off',
  'halt',
]);
const WITH_LIFE_CYCLE: readonly string[] = ['with all below', 'stimuli alone'];
const WITHOUT_REGISTERS: readonly string[] = [
  'calls of programs alone',
  'calls and hypercalls',
  'calls and stops of VPs',
  'hypercalls alone',
];

/**
 * What the machine does of the legal ones of the stimuli, seen from its start: what is seen less of begins mid-life by itself. No call
 * is finished late: whether the hypervisor does so hangs on a SynIC that a recorder of calls does not see set up.
 */
export function recordedOf(given: JsonObject, stimuli: readonly Stimulus[]): Recording {
  const machine = new TwoSides({ ...given, initial: 'reset', asyncCalls: 'never' });
  for (const each of stimuli) if (machine.isLegal(each)) machine.take(each);
  machine.end();
  return { name: 'generated', header: machine.header, events: machine.recorded };
}

function isGuest(event: TraceEvent): boolean {
  return event.kind === 'msr' && event.vp !== undefined;
}

/**
 * The lesser recordings that there can be. One goes past the end of a kernel only where it shows that; and under the root
 * scheduler what a guest does to its timers unseen decides how long its call waits, which nobody can know.
 */
export function generatedLess(whole: Recording): Less[] {
  const { events, header } = whole;
  const ended = events.some((event) => event.kind === 'lifecycle' && ENDING.has(event.what));
  const unseen = header.profile.scheduler === 'root' && events.some(isGuest);
  return seenLess(whole).filter(
    ({ depth }) =>
      (!ended || WITH_LIFE_CYCLE.includes(depth)) && (!unseen || !WITHOUT_REGISTERS.includes(depth)),
  );
}
