import { Machine, type Sides } from '../machine/machine.ts';
import type { JournalSink } from '../state/journal.ts';
import { type Checkpoint, type History, HistoryBuilder } from './history.ts';
import { type ReplayOptions, reopening, run } from './replay.ts';
import { type EventSource, LOOK_AHEAD_EVENTS } from './source.ts';

/**
 * Replays a trace whose first `same` events are those of another, bit for bit, and whose profile is: it goes on from the last
 * checkpoint of the other's history at which nothing else can have been seen. Undefined where there is none.
 */
export function replayBranch(
  source: EventSource,
  sides: Sides,
  trunk: History,
  same: number,
  options: Pick<ReplayOptions, 'to' | 'progress'> = {},
): History | undefined {
  const from = trunk.checkpoints.findLast(({ nextSeq }) => nextSeq + LOOK_AHEAD_EVENTS <= same);
  if (from === undefined || from.nextSeq > (options.to ?? source.count)) return undefined;
  return goOn(source, sides, trunk, from, options);
}

function goOn(
  source: EventSource,
  sides: Sides,
  trunk: History,
  from: Checkpoint,
  options: ReplayOptions,
): History {
  const { nextSeq, store, open } = from;
  const events = Math.min(source.count, options.to ?? source.count);
  const builder = new HistoryBuilder(events, trunk.before(nextSeq, store.entries));
  const sink: JournalSink = (chunk) => builder.chunks.push(chunk);
  const machine = Machine.restored(source.header.profile, sides, store, trunk.tables, sink);
  run(
    source,
    machine,
    { ...options, observe: (step) => builder.observe(step) },
    nextSeq,
    reopening(source, open),
    (_, next) => builder.start(next, machine.store.entries),
  );
  return builder.build(machine.store.tables);
}
