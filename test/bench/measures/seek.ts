import { StateImage } from '../../../engine/replay/image.ts';
import { replayWithHistory } from '../../../engine/replay/replay.ts';
import { at } from '../../../engine/trace/position.ts';
import { SIDES } from '../../../main/cli/sides.ts';
import { openTraceFile } from '../../../main/cli/trace.ts';
import { randomFrom } from '../../kill/random.ts';
import { type Measure, milliseconds, percentile, rates, timed } from '../measure.ts';

const SEEKS = 400;
const GOAL_MS = 1;

/** Moving a state image to random positions, and one step back from each. */
export const measure: Measure = async ({ trace }) => {
  const { source, close } = openTraceFile(trace);
  const made = timed(() => replayWithHistory(source, SIDES));
  close();
  const { history } = made.result;
  const image = new StateImage(history);
  const random = randomFrom(1);
  const [seeks, steps]: [number[], number[]] = [[], []];
  for (let i = 0; i < SEEKS; i++) {
    const seq = 2 + Math.floor(random() * (history.events - 1));
    seeks.push(timed(() => image.seek(at(seq))).ms);
    steps.push(timed(() => image.seek(at(seq - 1))).ms);
  }
  const [p50, p95, back] = [percentile(seeks, 0.5), percentile(seeks, 0.95), percentile(steps, 0.95)];
  return [
    {
      what: 'replay keeping its history',
      value: `${rates(history.events, made)}, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB, ${history.checkpoints.length} checkpoints`,
    },
    {
      what: `seek, ${SEEKS} random positions`,
      goal: `p95 ≤ ${GOAL_MS} ms`,
      value: `p50 ${milliseconds(p50)}, p95 ${milliseconds(p95)}, worst ${milliseconds(Math.max(...seeks))}`,
      held: p95 <= GOAL_MS,
    },
    { what: 'step back', goal: `≤ ${GOAL_MS} ms`, value: `p95 ${milliseconds(back)}`, held: back <= GOAL_MS },
  ];
};
