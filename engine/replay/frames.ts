import type { AnswerRule } from '../machine/child.ts';
import { UNMODELLED } from '../machine/unmodelled.ts';
import type { IoctlEvent } from '../trace/event.ts';
import type { Frame } from './frame.ts';
import { Judged } from './judged.ts';

/** The open stimuli, found by their own number and by those of the recorded events below them. */
export class Frames {
  readonly #frames = new Map<number, Frame>();
  readonly #open = new Set<Frame>();
  readonly #judged = new Judged();

  get(seq: number | undefined): Frame | undefined {
    return seq === undefined ? undefined : this.#frames.get(seq);
  }

  /** In the order in which they began; those that are dropped meanwhile may be passed over. */
  all(): ReadonlySet<Frame> {
    return this.#open;
  }

  /** Every open stimulus is a call that has been made and not returned. */
  allCalling(): boolean {
    for (const { phase } of this.#open) if (phase !== 'calling' && phase !== 'waiting') return false;
    return true;
  }

  /** Calls that wait, or have waited, and have not returned. */
  *waiting(): Generator<IoctlEvent> {
    for (const { stimulus, handler, phase } of this.#open) {
      if (stimulus.kind !== 'ioctl' || handler?.wake === undefined) continue;
      if (phase !== 'leaving' && phase !== 'done') yield stimulus;
    }
  }

  /** The event `seq` belongs to the frame. */
  join(frame: Frame, seq: number): void {
    if (frame.members.at(-1) === seq) return;
    frame.members.push(seq);
    this.#open.add(frame);
    this.#frames.set(seq, frame);
  }

  /** The stimulus is dealt with. */
  drop(frame: Frame): void {
    frame.phase = 'done';
    this.#open.delete(frame);
    const rule = frame.handler !== undefined && frame.certain ? frame.outcome?.rule : undefined;
    for (const seq of frame.members) {
      this.#frames.delete(seq);
      this.over(seq, rule);
    }
  }

  /** The event `seq` has been answered by a rule; nothing more comes of it. */
  over(seq: number, rule: AnswerRule | undefined): void {
    if (rule !== undefined && rule !== UNMODELLED) this.#judged.add(seq);
  }

  /** Nothing more can come of this event, which is one of late. */
  isOver(seq: number): boolean {
    return this.#judged.has(seq);
  }
}
