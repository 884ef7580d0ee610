import { minimize } from '../../../engine/analysis/minimize/minimize.ts';
import { SIDES } from '../../../main/cli/sides.ts';
import { longTeardown } from '../../analysis/long.testing.ts';
import { whole } from '../../analysis/traces.testing.ts';
import { type Measure, milliseconds, timed } from '../measure.ts';

const EVENTS = 10_000;
const GOAL_MS = 60_000;

/** The seed's tear-down in ten thousand events, until no event can be left out. */
export const measure: Measure = async () => {
  const source = whole(longTeardown(EVENTS));
  const took = timed(() => {
    const search = minimize(source, SIDES, { kind: 'finding', id: 'R01:mshv:off:vmbus' });
    for (let next = search.next(); ; next = search.next()) if (next.done === true) return next.value;
  });
  const { events, tried } = took.result;
  return [
    {
      what: `minimize: a tear-down in ${source.count.toLocaleString('en')} events, to 1-minimal`,
      goal: '≤ 60 s, ≤ 50 events',
      value: `${milliseconds(took.ms)} (${milliseconds(took.cpuMs)} of processor time), ${events.length} events left, ${tried} traces tried`,
      held: took.ms <= GOAL_MS && events.length <= 50,
    },
  ];
};
