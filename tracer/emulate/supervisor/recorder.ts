import type { PlaySink } from '../../../engine/replay/play.ts';
import type { Step } from '../../../engine/replay/step.ts';
import type { Recording } from '../../sink/recording.ts';
import { TraceFileError } from '../../store/index.ts';
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
  readonly #recording: Recording;
  readonly #asked: () => number;
  #snapshots = 0;
  #steps: { readonly step: Step; readonly machine: Machine }[] = [];
  /** When the first of them came. */
  #since = 0;
  #failure: string | undefined;

  /** `snapshots` gives how many of them were asked for by now. */
  constructor(recording: Recording, snapshots: () => number = () => 0) {
    this.#recording = recording;
    this.#asked = snapshots;
    const target = recording.sink;
    this.sink = {
      step: (step, machine) => {
        if (this.#steps.length === 0) this.#since = performance.now();
        this.#steps.push({ step, machine });
        this.#recording.watch?.(step, machine);
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
        for (const { step, machine } of steps) this.#recording.sink.step(step, machine);
      });
    }
    this.#attempt(() => this.#recording.tick());
    for (const asked = this.#asked(); this.#snapshots < asked; this.#snapshots++)
      this.#attempt(() => this.#recording.snapshot());
  }

  /** How long {@link flush} may wait for its next call, in ms; undefined while everything is in the file. */
  get dueMs(): number | undefined {
    return this.#recording.dueMs;
  }

  /** Ends the recording; `hash` is that of the journal. */
  finish(hash: string): Recorded {
    this.flush();
    this.#attempt(() => this.#recording.finish(hash));
    const { events, dropped } = this.#recording;
    this.#close();
    const failure = this.#failure;
    return {
      events,
      hash,
      ...(dropped === 0 ? {} : { dropped }),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** Closes the file also after a failure: what was committed is in it. */
  #close(): void {
    const before = this.#failure;
    this.#failure = undefined;
    this.#attempt(() => this.#recording.close());
    this.#failure = before ?? this.#failure;
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
