import type { Outcome } from '../machine/child.ts';
import type { Machine } from '../machine/machine.ts';
import { UNMODELLED } from '../machine/unmodelled.ts';
import type { TraceEvent } from '../trace/event.ts';
import { type Expectation, type Frame, NO_ANSWER, parentIn } from './frame.ts';
import { returnOf } from './numbering.ts';
import { asOutcome, componentOf, endOf, isDriven, isRun } from './stimulus.ts';
import { answerOfTaken, type Supposed } from './supposed.ts';

/** Runs what the drivers of open stimuli do, up to the next thing that they ask for or do. */
export class Driving {
  /** Drivers that are in the middle of something. */
  busy = 0;
  readonly #machine: Machine;
  readonly #supposed: Supposed | undefined;

  constructor(machine: Machine, supposed: Supposed | undefined) {
    this.#machine = machine;
    this.#supposed = supposed;
  }

  /** A stimulus whose outcome is known at once starts nothing. */
  enter(frame: Frame): void {
    const { handler, stimulus } = frame;
    if (handler === undefined || !isDriven(stimulus)) return;
    const { doubts } = this.#machine.store;
    const entered = handler.enter(this.#machine, stimulus);
    this.#doubted(frame, doubts);
    if (isRun(entered)) this.#start(frame, entered);
    else this.#ended(frame, entered);
  }

  /** The call has returned: what takes effect then. */
  leave(frame: Frame): void {
    const { completed, handler } = frame;
    if (handler?.leave === undefined || !isDriven(completed)) return;
    frame.answer = NO_ANSWER;
    const run = handler.leave(this.#machine, completed);
    if (run !== undefined) this.#start(frame, asOutcome(run));
  }

  /** A call that waits goes on: what it writes then is written after its wait, whatever happened last, and wherever a replay began. */
  wake(frame: Frame, signal: boolean): void {
    const { handler, stimulus } = frame;
    if (handler?.wake === undefined || !isDriven(stimulus)) return;
    this.#machine.store.writer(returnOf(stimulus.seq), componentOf(stimulus));
    frame.phase = 'waking';
    frame.answer = NO_ANSWER;
    this.#start(frame, handler.wake(this.#machine, stimulus, signal));
  }

  /** Whether a call that waits can go on. */
  isReady(frame: Frame): boolean {
    const { handler, stimulus } = frame;
    const { doubts } = this.#machine.store;
    const ready = isDriven(stimulus) && handler?.ready?.(this.#machine, stimulus) === true;
    this.#doubted(frame, doubts);
    return ready;
  }

  /**
   * What comes next below the stimulus; undefined when the driver has come to its end. What somebody took out of the trace is passed
   * over, but where the next event that is `recorded` is like it.
   */
  next(frame: Frame, recorded?: () => TraceEvent | undefined): Expectation | undefined {
    for (;;) {
      while (frame.queue.length === 0 && frame.run !== undefined) this.resume(frame);
      const [next] = frame.queue;
      if (next === undefined || this.#supposed === undefined) return next;
      const answer = answerOfTaken(this.#supposed, frame, next.what, recorded);
      if (answer === undefined) return next;
      frame.queue.shift();
      if (next.asked) frame.answer = answer;
    }
  }

  resume(frame: Frame): void {
    const { run } = frame;
    if (run === undefined) return;
    const { doubts } = this.#machine.store;
    const step = run.next(frame.answer);
    this.#doubted(frame, doubts);
    if (!step.done) {
      frame.queue.push({ what: step.value, parent: parentIn(frame), asked: true });
      return;
    }
    this.stop(frame);
    if (frame.phase === 'entering' || frame.phase === 'waking') this.#ended(frame, step.value);
  }

  /** What its driver was about to do is not done. */
  stop(frame: Frame): void {
    if (frame.run !== undefined) this.busy--;
    frame.run = undefined;
  }

  /** The record goes another way than a driver that is not certain: it alone counts. */
  lose(frame: Frame): void {
    this.stop(frame);
    frame.lost = true;
    const announced = frame.queue.filter(({ asked }) => !asked);
    frame.queue.splice(0, frame.queue.length, ...announced);
  }

  #start(frame: Frame, run: NonNullable<Frame['run']>): void {
    frame.run = run;
    this.busy++;
  }

  /** What the driver made of the stimulus is known. */
  #ended(frame: Frame, outcome: Outcome | undefined): void {
    frame.outcome = outcome;
    if (outcome?.rule === UNMODELLED) frame.certain = false;
    const { stimulus } = frame;
    if (stimulus.kind === 'lifecycle' && outcome?.ret !== undefined) {
      frame.queue.push({ what: endOf(stimulus, outcome.ret), parent: parentIn(frame), asked: true });
    }
  }

  /** It has looked at what is not known: what it does from here on is not certain. */
  #doubted(frame: Frame, doubts: number): void {
    if (this.#machine.store.doubts !== doubts) frame.certain = false;
  }
}
