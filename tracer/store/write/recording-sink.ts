import type { PlaySink } from '../../../engine/replay/play.ts';
import type { Step } from '../../../engine/replay/step.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import { at } from '../../../engine/trace/position.ts';
import type { CallAnswer, TraceWriter } from './writer.ts';

/** Steps of the engine as events: a call at its entry, completed at its return. */
export function stepSink(
  to: Pick<TraceWriter, 'append' | 'begin' | 'complete'>,
): (step: Pick<Step, 'event' | 'returned'>) => void {
  return ({ event, returned }) => {
    if (returned) to.complete(event.seq, answerOf(event));
    else if (event.kind === 'ioctl' || event.kind === 'fd') to.begin(event);
    else to.append(event);
  };
}

/** Where what the engine plays, or does live, goes into a trace. */
export function recordingSink(writer: TraceWriter): PlaySink {
  return {
    step: stepSink(writer),
    journal: (chunk) => writer.journal(chunk),
    checkpoint: ({ nextSeq, store }, machine) =>
      writer.checkpoint(at(nextSeq - 1), store, machine.store.tables),
  };
}

function answerOf(event: TraceEvent): CallAnswer {
  if (event.kind === 'fd') return typeof event.ret === 'number' ? { ret: event.ret } : {};
  if (event.kind !== 'ioctl') return {};
  const { ret, out, tEnd } = event;
  return {
    ...(typeof ret === 'number' ? { ret } : {}),
    ...(out === undefined ? {} : { out }),
    ...(tEnd === undefined ? {} : { tEnd }),
  };
}
