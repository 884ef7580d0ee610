import type { Sides } from '../machine/machine.ts';
import { type Address, formatAddress } from '../trace/position.ts';
import type { Checkpoint, History } from './history.ts';
import { replaySegment } from './replay.ts';
import type { EventSource } from './source.ts';
import type { Step } from './step.ts';

/** Replayed segments that are kept; one holds the steps of some 4096 events. */
const KEPT_SEGMENTS = 8;

/**
 * The steps of a replay again, without keeping them all: the segment between two checkpoints is replayed when
 * one of its steps is asked for.
 */
export class StepArchive {
  readonly #source: EventSource;
  readonly #sides: Sides;
  readonly #history: History;
  /** By index of the checkpoint that a segment starts from; the most recently used last. */
  readonly #segments = new Map<number, ReadonlyMap<string, Step>>();

  constructor(source: EventSource, sides: Sides, history: History) {
    this.#source = source;
    this.#sides = sides;
    this.#history = history;
  }

  /** The step at a position: a recorded or derived event, or the return of a call. */
  step(address: Address): Step | undefined {
    const key = formatAddress(address);
    const entered = this.#segment(address.seq).get(key);
    if (entered !== undefined || address.sub === 0) return entered;
    const during = this.#history.returnedDuring(address.seq);
    return during === undefined ? undefined : this.#segment(during).get(key);
  }

  #segment(seq: number): ReadonlyMap<string, Step> {
    const { checkpoints } = this.#history;
    let index = 0;
    while ((checkpoints[index + 1]?.nextSeq ?? Number.POSITIVE_INFINITY) <= seq) index++;
    const steps = this.#segments.get(index) ?? this.#replay(index);
    this.#segments.delete(index);
    this.#segments.set(index, steps);
    const oldest = this.#segments.keys().next().value;
    if (this.#segments.size > KEPT_SEGMENTS && oldest !== undefined) this.#segments.delete(oldest);
    return steps;
  }

  #replay(index: number): ReadonlyMap<string, Step> {
    const { checkpoints, tables } = this.#history;
    const steps = new Map<string, Step>();
    const from = checkpoints[index] as Checkpoint;
    const to = (checkpoints[index + 1]?.nextSeq ?? this.#source.count + 1) - 1;
    replaySegment(this.#source, this.#sides, from, to, tables, (step) => {
      steps.set(formatAddress(step.address), step);
    });
    return steps;
  }
}
