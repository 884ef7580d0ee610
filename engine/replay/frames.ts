import type { Frame } from './frame.ts';

/** The open stimuli, found by their own number and by those of the recorded events below them. */
export class Frames {
  readonly #frames = new Map<number, Frame>();

  get(seq: number): Frame | undefined {
    return this.#frames.get(seq);
  }

  all(): ReadonlySet<Frame> {
    return new Set(this.#frames.values());
  }

  /** Every open stimulus is a call that has been made and not returned. */
  allCalling(): boolean {
    for (const { phase } of this.#frames.values())
      if (phase !== 'calling' && phase !== 'waiting') return false;
    return true;
  }

  /** The event `seq` belongs to the frame. */
  join(frame: Frame, seq: number): void {
    frame.members.push(seq);
    this.#frames.set(seq, frame);
  }

  /** The stimulus is dealt with. */
  drop(frame: Frame): void {
    frame.phase = 'done';
    for (const seq of frame.members) this.#frames.delete(seq);
  }
}
