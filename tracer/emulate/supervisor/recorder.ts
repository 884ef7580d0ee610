import type { PlaySink } from '../../../engine/replay/play.ts';
import type { Step } from '../../../engine/replay/step.ts';
import { recordingSink, TraceFileError, type TraceWriter } from '../../store/index.ts';
import type { Recorded } from './messages.ts';

/** Steps that wait for the file at most, and how long they do while the program goes on making calls. */
const MOST_STEPS = 512;
const MOST_MS = 10;

type Machine = Parameters<PlaySink['step']>[1];

/**
 * Takes what the engine did and writes it when the program makes no calls, or a lot has come together: then one call in
 * many waits for the file. When the file takes no more (a full disk), the program is served on and the recording ends there.
 */
export class Recorder {
  readonly sink: PlaySink;
  readonly #writer: TraceWriter;
  readonly #target: PlaySink;
  #steps: { readonly step: Step; readonly machine: Machine }[] = [];
  /** When the first of them came. */
  #since = 0;
  #failure: string | undefined;

  constructor(writer: TraceWriter) {
    this.#writer = writer;
    const target = recordingSink(writer);
    this.#target = target;
    this.sink = {
      step: (step, machine) => {
        if (this.#steps.length === 0) this.#since = performance.now();
        this.#steps.push({ step, machine });
      },
      journal: (chunk) => this.#attempt(() => target.journal(chunk)),
      checkpoint: (checkpoint, machine) => {
        this.flush();
        this.#attempt(() => target.checkpoint(checkpoint, machine));
      },
    };
  }

  /** Something waits for the file. */
  get hasWaiting(): boolean {
    return this.#steps.length > 0;
  }

  /** Between two calls: hands over what waits if it is due. */
  flushWhenDue(): void {
    const { length } = this.#steps;
    if (length >= MOST_STEPS || (length > 0 && performance.now() - this.#since >= MOST_MS)) this.flush();
  }

  /** Hands over what waits, and commits when it is time to. */
  flush(): void {
    if (this.#steps.length > 0) {
      const steps = this.#steps;
      this.#steps = [];
      this.#attempt(() => {
        for (const { step, machine } of steps) this.#target.step(step, machine);
      });
    }
    this.#writer.tick();
  }

  /** How long {@link flush} may wait for its next call, in ms; undefined while everything is in the file. */
  get dueMs(): number | undefined {
    return this.#writer.dueMs;
  }

  /** Ends the recording; `hash` is that of the journal. */
  finish(hash: string): Recorded {
    this.flush();
    this.#attempt(() => this.#writer.hash(hash));
    const { events } = this.#writer;
    this.#attempt(() => this.#writer.close());
    return { events, hash, ...(this.#failure === undefined ? {} : { failure: this.#failure }) };
  }

  #attempt(action: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof TraceFileError)) throw error;
      this.#failure = error.message;
    }
  }
}
