import { check } from '../../../engine/analysis/check.ts';
import { replay } from '../../../engine/replay/replay.ts';
import { SIDES } from '../../../main/cli/sides.ts';
import { openTraceFile } from '../../../main/cli/trace.ts';
import { type Measure, perSecond, rate, rates, timed } from '../measure.ts';

const GOAL_REPLAY = 500_000;
const GOAL_CHECK = 200_000;

/** Reading, replaying and judging the whole file, each from its beginning. */
export const measure: Measure = async ({ trace }) => {
  const { source, close } = openTraceFile(trace);
  const { count } = source;
  const reading = timed(() => {
    let last = 0;
    for (const event of source.range(1, count)) last = event.seq;
    return last;
  });
  const replayed = timed(() => replay(source, SIDES));
  const report = replayed.result;
  const bound = Object.values(report.bound).reduce((sum, n) => sum + n, 0);
  const memory = process.memoryUsage().rss;
  const judged = timed(() => check(source, SIDES));
  close();
  return [
    { what: 'reading the rows alone', value: rates(reading.result, reading) },
    {
      what: 'replay from the file, children included',
      goal: `≥ ${GOAL_REPLAY.toLocaleString('en')}/s`,
      value: `${rates(report.events, replayed)}; ${rate(report.events, replayed.cpuMs - reading.cpuMs)} of it without the reading`,
      held: perSecond(report.events, replayed.ms) >= GOAL_REPLAY,
    },
    {
      what: 'replay: divergences, answers',
      goal: '0, checked ≥ 3 x bound',
      value: `${report.divergences.length}, ${report.checked} checked, ${bound} bound, ${report.unmodelled} unmodelled`,
      held: report.divergences.length === 0 && report.checked >= 3 * bound,
    },
    { what: 'memory of that process after the replay', value: `${Math.round(memory / 2 ** 20)} MiB` },
    {
      what: 'check with all rules',
      goal: `≥ ${GOAL_CHECK.toLocaleString('en')}/s`,
      value: rates(count, judged),
      held: perSecond(count, judged.ms) >= GOAL_CHECK,
    },
  ];
};
