import type { Frame, OpenCall } from './frame.ts';

/** Open calls in the order in which they return; those of which it is not known come last. */
export class PendingReturns {
  readonly #frames: Frame[] = [];

  get size(): number {
    return this.#frames.length;
  }

  all(): readonly Frame[] {
    return [...this.#frames];
  }

  /** What a checkpoint keeps of them. */
  open(): OpenCall[] {
    return this.#frames.map(({ stimulus, sub, phase }) => ({
      seq: stimulus.seq,
      sub,
      waits: phase === 'waiting',
    }));
  }

  /** Adds a call, or moves it to where its return now stands. */
  add(frame: Frame): void {
    this.remove(frame);
    if (this.#frames.length === 0) {
      this.#frames.push(frame);
      return;
    }
    const when = frame.returns ?? Number.POSITIVE_INFINITY;
    const place = this.#frames.findIndex((other) => (other.returns ?? Number.POSITIVE_INFINITY) > when);
    this.#frames.splice(place < 0 ? this.#frames.length : place, 0, frame);
  }

  /** It waits, and nobody knows for how long. */
  putOff(frame: Frame): void {
    frame.returns = undefined;
    this.add(frame);
  }

  remove(frame: Frame): void {
    const place = this.#frames.indexOf(frame);
    if (place === 0) this.#frames.shift();
    else if (place > 0) this.#frames.splice(place, 1);
  }

  /** The first call that has returned by `t`. */
  due(t: number): Frame | undefined {
    const first = this.#frames[0];
    return first?.returns !== undefined && first.returns <= t ? first : undefined;
  }
}
