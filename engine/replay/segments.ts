import type { Checkpoint, History } from './history.ts';

/** Segments that are kept; one covers some 4096 events. */
const KEPT_SEGMENTS = 8;

/** What the stretches between two checkpoints come to when they are replayed again, each when it is asked for. */
export class Segments<T> {
  readonly #history: History;
  readonly #replay: (from: Checkpoint, to: number) => T;
  /** By index of the checkpoint that a segment starts from; the most recently used last. */
  readonly #kept = new Map<number, T>();

  /** `replay` replays from a checkpoint up to and including event `to`. */
  constructor(history: History, replay: (from: Checkpoint, to: number) => T) {
    this.#history = history;
    this.#replay = replay;
  }

  /** That of the event `seq`. */
  of(seq: number): T {
    const { checkpoints, events } = this.#history;
    let index = 0;
    while ((checkpoints[index + 1]?.nextSeq ?? Number.POSITIVE_INFINITY) <= seq) index++;
    const to = (checkpoints[index + 1]?.nextSeq ?? events + 1) - 1;
    const segment = this.#kept.get(index) ?? this.#replay(checkpoints[index] as Checkpoint, to);
    this.#kept.delete(index);
    this.#kept.set(index, segment);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > KEPT_SEGMENTS && oldest !== undefined) this.#kept.delete(oldest);
    return segment;
  }
}
