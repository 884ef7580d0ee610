import type { CaptureFilter } from '../../engine/filter/capture.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { Seq } from '../../engine/trace/position.ts';
import type { CallAnswer } from '../store/index.ts';
import type { EventSink } from './event-sink.ts';

/** Hands on events up to the first that a filter matches; nothing after it, also no answers. */
export class UntilSink implements EventSink {
  readonly #target: EventSink;
  #until: CaptureFilter;
  readonly #over: () => void;
  isOver = false;

  /** `over` is called once, behind that event. */
  constructor(target: EventSink, until: CaptureFilter, over: () => void) {
    this.#target = target;
    this.#until = until;
    this.#over = over;
  }

  /** The same filter, read again: names mean other numbers once it is known which kernel it is. */
  readAs(until: CaptureFilter): void {
    this.#until = until;
  }

  append(event: TraceEvent): void {
    if (this.isOver) return;
    this.#target.append(event);
    this.#look(event);
  }

  begin(event: TraceEvent): void {
    if (this.isOver) return;
    this.#target.begin(event);
    this.#look(event);
  }

  complete(seq: Seq, answer: CallAnswer): void {
    if (!this.isOver) this.#target.complete(seq, answer);
  }

  #look(event: TraceEvent): void {
    if (!this.#until.holds(event)) return;
    this.isOver = true;
    this.#over();
  }
}
