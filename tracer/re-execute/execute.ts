import { Machine, type Sides } from '../../engine/machine/machine.ts';
import { Replayer } from '../../engine/replay/replayer.ts';
import { type EventSource, LookAhead } from '../../engine/replay/source.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { Execution } from './execution.ts';
import type { Executed } from './report.ts';

/** How many events are replayed between two reports of how far it is. */
const REPORTED_EVENTS = 1000;

/** Why the guests of a trace cannot be executed again; undefined where they can. */
export function cannotExecute({ start, header }: EventSource): string | undefined {
  if (start !== undefined) return 'it starts in the middle of what its guests did (a flight recorder)';
  return header.profile.instructionNs === 0
    ? 'it was recorded without --capture-memory: it does not have what its guests read'
    : undefined;
}

/**
 * Replays a recording and executes its guests again between the events; ends at the first difference. `progress` is called now and then with
 * the number of events replayed; false cancels.
 */
export function execute(
  source: EventSource,
  sides: Sides,
  progress: (events: number) => boolean = () => true,
): Executed {
  const machine = Machine.initial(source.header.profile, sides);
  const events = new LookAhead(source.range(1, source.count));
  machine.ahead = events;
  const peek = () => events.find(() => true);
  let fed = 0;
  const feed = (): TraceEvent => {
    const event = events.next();
    if (event === undefined) throw new Error('no event is left');
    replayer.feed(event, events);
    fed++;
    return event;
  };
  const execution = new Execution({
    machine,
    peek,
    find: (test) => events.find(test),
    feed: () => {
      const event = feed();
      for (let next = peek(); next?.parent !== undefined; next = peek()) feed();
      return event;
    },
    settle: () => {
      const next = peek();
      if (next !== undefined) replayer.settle(next.t, events, next.parent);
    },
  });
  const replayer = new Replayer({
    machine,
    numbering: 'derive',
    childKinds: source.childKinds,
    observe: ({ event }) => execution.observe(event),
  });
  let reported = 0;
  for (let event = peek(); event !== undefined && !execution.hasEnded; event = peek()) {
    execution.step(event);
    if (fed - reported < REPORTED_EVENTS) continue;
    reported = fed;
    if (!progress(fed)) break;
  }
  return execution.report();
}
