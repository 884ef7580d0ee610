import { type TimeNs, timeNs } from '../../../engine/trace/position.ts';

/**
 * The time of a machine whose guests take time by what they execute: while one runs, it goes on by its instructions alone, at all other times
 * as the host's does.
 */
export class GuestClock {
  readonly #host: () => number;
  readonly #instructionNs: number;
  /** What this clock is ahead of the host's. */
  #ahead = 0;
  #running: { readonly since: number; readonly from: number; readonly executed: () => number } | undefined;

  constructor(instructionNs: number, host: () => number) {
    this.#host = host;
    this.#instructionNs = instructionNs;
  }

  now(): TimeNs {
    if (this.#running === undefined) return timeNs(this.#host() + this.#ahead);
    const { since, from, executed } = this.#running;
    return timeNs(since + this.#ahead + (executed() - from) * this.#instructionNs);
  }

  /** A guest runs for as long as `run` does; `executed` counts its instructions. */
  during<T>(executed: () => number, run: () => T): T {
    const since = this.#host();
    const from = executed();
    this.#running = { since, from, executed };
    try {
      return run();
    } finally {
      this.#running = undefined;
      this.#ahead += (executed() - from) * this.#instructionNs - (this.#host() - since);
    }
  }

  /** Instructions until a time, one at least. */
  until(time: number): number {
    return Math.max(1, Math.ceil((time - this.now()) / this.#instructionNs));
  }
}
