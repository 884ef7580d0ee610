import { Machine, type Sides } from '../machine/machine.ts';
import type { JournalSink } from '../state/journal.ts';
import type { EventKind, TraceEvent } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';
import type { Checkpoint } from './history.ts';
import { CHECKPOINT_EVENTS } from './replay.ts';
import { Replayer } from './replayer.ts';
import { LookAhead } from './source.ts';
import type { Step } from './step.ts';

/** Where a played scenario goes. */
export interface PlaySink {
  /** An event with its number in the recording, and the return of a call (`step.returned`) with its answers. */
  step(step: Step, machine: Machine): void;
  journal: JournalSink;
  /** A point from which the recording can be continued; the last one comes at the end, after the journal. */
  checkpoint(checkpoint: Checkpoint, machine: Machine): void;
}

/**
 * Plays the stimuli of a scenario (events below others are left out: they are worked out) and hands over
 * everything that happens as events to be recorded, numbered from 1. Returns the hash of the journal.
 */
export function play(
  scenario: Iterable<TraceEvent>,
  profile: Profile,
  sides: Sides,
  sink: PlaySink,
): { readonly events: number; readonly hash: string } {
  const machine = Machine.initial(profile, sides, sink.journal);
  let steps = 0;
  const replayer = new Replayer({
    machine,
    numbering: 'record',
    childKinds: new Set<EventKind>(),
    observe: (step) => {
      if (!step.returned) steps++;
      sink.step(step, machine);
    },
  });
  const events = new LookAhead(stimuli(scenario));
  let saved = -CHECKPOINT_EVENTS;
  for (let event = events.next(); event !== undefined; event = events.next()) {
    if (steps - saved >= CHECKPOINT_EVENTS && replayer.atRest) {
      saved = steps;
      const store = machine.store.checkpoint();
      sink.checkpoint({ nextSeq: steps + 1, store, open: replayer.openCalls() }, machine);
    }
    replayer.feed(event, events);
  }
  replayer.finish();
  sink.checkpoint({ nextSeq: steps + 1, store: machine.store.checkpoint(), open: [] }, machine);
  return { events: steps, hash: machine.store.hash() };
}

function* stimuli(events: Iterable<TraceEvent>): Iterable<TraceEvent> {
  for (const event of events) if (event.parent === undefined) yield event;
}
