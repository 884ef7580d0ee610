import type { Machine } from '../machine/machine.ts';
import type { EventKind } from '../trace/event.ts';
import type { Numbering } from './numbering.ts';
import type { Deliver } from './outcome.ts';
import type { StepObserver } from './step.ts';
import type { Supposed } from './supposed.ts';

/** What a replayer works with. */
export interface ReplayerOptions {
  readonly machine: Machine;
  readonly numbering: Numbering;
  /** Kinds of event that the trace holds below others; such events are matched, all others derived. */
  readonly childKinds: ReadonlySet<EventKind>;
  readonly observe?: StepObserver;
  /** Number of the last event before the first that will be fed (a resumed replay); 0 at the start. */
  readonly lastSeq?: number;
  readonly deliver?: Deliver;
  /** The trace was changed. */
  readonly supposed?: Supposed;
}
