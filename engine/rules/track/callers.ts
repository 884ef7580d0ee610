import type { Step } from '../../replay/step.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Moment } from '../open-finding.ts';
import type { Tracker, TrackerInput, TrackerKind } from '../rule.ts';

/** An ioctl that has been made and has not returned. */
export interface Caller {
  readonly event: IoctlEvent;
  readonly moment: Moment;
}

/** Calls that a program may have open at once; more have never returned, and the oldest are forgotten. */
const MAX_OPEN = 4096;

/** Which ioctl a hypercall was made for. */
export class CallerTracker implements Tracker {
  readonly #now: () => Moment;
  /** By event number, oldest first. */
  readonly #open = new Map<number, Caller>();
  #returned: number | undefined;

  constructor({ now }: TrackerInput) {
    this.#now = now;
  }

  step({ event, returned }: Step): void {
    if (event.kind !== 'ioctl') return;
    // What returns is there while the rules see its return.
    if (this.#returned !== undefined) this.#open.delete(this.#returned);
    this.#returned = returned ? event.seq : undefined;
    if (returned) return;
    this.#open.set(event.seq, { event, moment: this.#now() });
    if (this.#open.size > MAX_OPEN) this.#forgetOldest();
  }

  /** The ioctl in which a step was made; undefined where it was none, or has returned. */
  callerOf({ parent }: Step): Caller | undefined {
    return parent === undefined || parent.sub !== 0 ? undefined : this.#open.get(parent.seq);
  }

  #forgetOldest(): void {
    for (const seq of this.#open.keys()) {
      this.#open.delete(seq);
      return;
    }
  }
}

export const CALLERS: TrackerKind<CallerTracker> = {
  name: 'callers',
  watches: ['ioctl'],
  create: (input) => new CallerTracker(input),
};
