import type { Start } from '../../../engine/replay/start.ts';
import type { TraceEvent } from '../../../engine/trace/event.ts';
import type { TraceWriter } from './writer.ts';

/** Writes the events of a trace that starts with a state, or with none: the state stands behind the calls that were under way. */
export class Started {
  readonly #writer: TraceWriter;
  #start: Start | undefined;

  constructor(writer: TraceWriter, start: Start | undefined) {
    this.#writer = writer;
    this.#start = start;
    this.#due();
  }

  append(event: TraceEvent): void {
    this.#writer.append(event);
    this.#due();
  }

  /** After the last event: whether the state was written, or there is none. */
  get isWhole(): boolean {
    return this.#start === undefined;
  }

  #due(): void {
    if (this.#start?.open.length !== this.#writer.events) return;
    this.#writer.origin(this.#start);
    this.#start = undefined;
  }
}
