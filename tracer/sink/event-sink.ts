import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Seq } from '../../engine/trace/position.ts';
import type { CallAnswer } from '../store/index.ts';

/** Takes events in order, numbered from 1 without holes; what a trace's writer takes. */
export interface EventSink {
  append(event: TraceEvent): void;
  /** The entry of a call whose answer {@link complete} brings. */
  begin(event: TraceEvent): void;
  complete(seq: Seq, answer: CallAnswer): void;
}
