import type { Sides } from '../machine/machine.ts';
import { type Address, formatAddress } from '../trace/position.ts';
import type { History } from './history.ts';
import { replaySegment } from './replay.ts';
import { Segments } from './segments.ts';
import type { EventSource } from './source.ts';
import type { Step } from './step.ts';

/**
 * The steps of a replay again, without keeping them all: the segment between two checkpoints is replayed when
 * one of its steps is asked for.
 */
export class StepArchive {
  readonly #history: History;
  readonly #segments: Segments<ReadonlyMap<string, Step>>;

  constructor(source: EventSource, sides: Sides, history: History) {
    this.#history = history;
    this.#segments = new Segments(history, (from, to) => {
      const steps = new Map<string, Step>();
      replaySegment(source, sides, from, to, history.tables, (step) => {
        steps.set(formatAddress(step.address), step);
      });
      return steps;
    });
  }

  /** The step at a position: a recorded or derived event, or the return of a call. */
  step(address: Address): Step | undefined {
    const key = formatAddress(address);
    const entered = this.#segments.of(address.seq).get(key);
    if (entered !== undefined || address.sub === 0) return entered;
    const during = this.#history.returnedDuring(address.seq);
    return during === undefined ? undefined : this.#segments.of(during).get(key);
  }
}
