import type { TraceEvent } from '../../../engine/trace/event.ts';
import type { TimeNs } from '../../../engine/trace/position.ts';

/**
 * Events as they were at `end`, the latest time of entry or return of a commit: a call that returned later is under way. Rows of a
 * recording that goes on get their answers while they are read, and what happened before those is not there yet.
 */
export function* asOf(events: Iterable<TraceEvent>, end: TimeNs): Generator<TraceEvent, void, undefined> {
  for (const event of events)
    yield 'tEnd' in event && event.tEnd !== undefined && event.tEnd > end ? entryOf(event) : event;
}

/** A call without what it came to. */
function entryOf(event: TraceEvent): TraceEvent {
  switch (event.kind) {
    case 'ioctl': {
      const { ret: _ret, out: _out, tEnd: _tEnd, ...entry } = event;
      return entry;
    }
    case 'hypercall': {
      const { result: _result, output: _output, fault: _fault, tEnd: _tEnd, ...entry } = event;
      return entry;
    }
    default:
      return event;
  }
}
