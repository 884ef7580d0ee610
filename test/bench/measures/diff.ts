import { join } from 'node:path';
import { diff } from '../../../engine/analysis/diff/diff.ts';
import { SIDES } from '../../../main/cli/sides.ts';
import { openTraceFile } from '../../../main/cli/trace.ts';
import { createTrace, playedLoad } from '../load.ts';
import { type Measure, milliseconds, timed } from '../measure.ts';
import { HOST } from '../mixed.ts';

const EVENTS = 100_000;
/** They part close to the end. */
const PARTING = 99_000;
const GOAL_MS = 2_000;

/** Two traces of the mixed load, the second without its last read of a register; opening and reading them included. */
export const measure: Measure = async ({ folder }) => {
  const { header, events } = playedLoad(EVENTS, HOST);
  const last = events.findLastIndex(
    (event) =>
      event.kind === 'msr' && event.dir === 'read' && event.parent === undefined && event.seq < PARTING,
  );
  const moved = (seq: number): number => (seq > last + 1 ? seq - 1 : seq);
  const fewer = events.toSpliced(last, 1).map((event) => ({
    ...event,
    seq: moved(event.seq),
    ...(event.parent === undefined ? {} : { parent: moved(event.parent) }),
  })) as typeof events;
  const paths = [join(folder, 'a.hvtrace'), join(folder, 'b.hvtrace')] as const;
  for (const [i, path] of paths.entries()) {
    const writer = createTrace(path, header);
    for (const event of i === 0 ? events : fewer) writer.append(event);
    writer.close();
  }
  const compared = timed(() => {
    const traces = paths.map((path) => openTraceFile(path));
    const [a, b] = traces as [(typeof traces)[0], (typeof traces)[0]];
    const found = diff(a.source, b.source, SIDES);
    for (const trace of traces) trace.close();
    return found;
  });
  const { first, state } = compared.result;
  return [
    {
      what: `diff of two traces of ${events.length.toLocaleString('en')} events that part at event ${last + 1}`,
      goal: `≤ ${GOAL_MS / 1000} s`,
      value: `${milliseconds(compared.ms)} (${milliseconds(compared.cpuMs)} of processor time); found at ${first?.a ?? first?.b}, ${state.length} cells differ`,
      held: compared.ms <= GOAL_MS,
    },
  ];
};
