import type { TraceEvent } from '../../trace/event.ts';

/** Of `explained`: the answer, and that of the call's return. */
const ANSWER = 1;
const RETURN = 2;

/**
 * The event as a question: without what the engine answers by itself, which may be another answer now. What was bound, or what the
 * engine cannot explain, stays.
 */
export function bare(event: TraceEvent, explained: number): TraceEvent {
  switch (event.kind) {
    case 'msr': {
      if ((explained & ANSWER) === 0) return event;
      const { fault: _fault, value, ...asked } = event;
      return event.dir === 'read' || value === undefined ? asked : { ...asked, value };
    }
    case 'hypercall': {
      if ((explained & ANSWER) === 0) return event;
      const { fault: _fault, result: _result, output: _output, ...asked } = event;
      return asked;
    }
    case 'ioctl': {
      if ((explained & RETURN) === 0 || event.ret === null) return event;
      const { ret: _ret, out: _out, ...asked } = event;
      return asked;
    }
    case 'fd': {
      if ((explained & RETURN) === 0 || event.ret === null) return event;
      const { ret: _ret, ...asked } = event;
      return asked;
    }
    default:
      return event;
  }
}
