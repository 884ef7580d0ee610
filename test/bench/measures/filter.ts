import { bindFilter, readEventFilter } from '../../../engine/app/filtering.ts';
import type { Listed } from '../../../engine/app/lists.ts';
import { at } from '../../../engine/trace/position.ts';
import { openTraceFile } from '../../../main/cli/trace.ts';
import { type Measure, type Measured, milliseconds, rate } from '../measure.ts';

const SCREEN = 50;
const GOAL_MS = 200;
/** A filter that many events pass, and one that few do. */
const FILTERS = ['kind == msr && op == write', 'code == HVCALL_DELETE_PARTITION'];

/** Filters as `show` runs them: the first screen, then the count. */
export const measure: Measure = async ({ trace }) => {
  const { source, close } = openTraceFile(trace);
  const { profile } = source.header;
  const results = FILTERS.map((text): Measured => {
    const read = readEventFilter(text, profile);
    if ('problem' in read) throw new Error(read.problem.message);
    const holds = bindFilter(read, { profile, parentOf: () => undefined });
    const start = performance.now();
    let [screen, passed]: [number | undefined, number] = [undefined, 0];
    for (const event of source.range(1, source.count)) {
      const listed: Listed = { address: at(event.seq), parent: undefined, event };
      if (holds(listed) && ++passed === SCREEN) screen = performance.now() - start;
    }
    const all = performance.now() - start;
    return {
      what: `filter ${text}: the first ${SCREEN}`,
      goal: `≤ ${GOAL_MS} ms`,
      // Where fewer pass, the screen is there when all have been looked at.
      value: `${milliseconds(screen ?? all)}; all ${passed} of ${source.count} at ${rate(source.count, all)}`,
      held: (screen ?? all) <= GOAL_MS,
    };
  });
  close();
  return results;
};
