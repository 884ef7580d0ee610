import type { Machine } from '../machine/machine.ts';
import type { EventKind, TraceEvent } from '../trace/event.ts';
import { type Address, at, type Seq, type TimeNs } from '../trace/position.ts';
import { type Ahead, firstAhead, NOTHING_AHEAD } from './ahead.ts';
import { Verdict } from './compare.ts';
import { Driving } from './driving.ts';
import { Executor } from './executor.ts';
import {
  answered,
  type Expectation,
  expectEmitted,
  type Frame,
  isAnnounced,
  isOpen,
  isUnmodelled,
  isUnsaid,
  leaveUnsaid,
  nest,
  type OpenCall,
  openFrame,
} from './frame.ts';
import { Frames } from './frames.ts';
import { compareRequest, sameEvent } from './match.ts';
import { named } from './naming.ts';
import { Numberer, type Numbering, returnOf } from './numbering.ts';
import { compareOutcome, EINTR, recordedRet } from './outcome.ts';
import { PendingReturns } from './pending-returns.ts';
import type { ReplayerOptions } from './replayer-options.ts';
import { ruleOf } from './stimulus.ts';
import { asSupposed, isGone, mayEnd, returnTime, type Supposed } from './supposed.ts';

/**
 * Feeds events to a machine: stimuli start drivers, recorded events below them are matched with what the
 * drivers do, what was not recorded is derived, answers are compared, returns take effect at their time.
 */
export class Replayer {
  readonly verdict = new Verdict();
  events = 0;
  derived = 0;
  readonly #machine: Machine;
  readonly #numbering: Numbering;
  readonly #childKinds: ReadonlySet<EventKind>;
  readonly #executor: Executor;
  readonly #frames = new Frames();
  readonly #returns = new PendingReturns();
  readonly #numbers: Numberer;
  readonly #driving: Driving;
  readonly #supposed: Supposed | undefined;

  constructor(options: ReplayerOptions) {
    this.#machine = options.machine;
    this.#numbering = options.numbering;
    this.#numbers = new Numberer(options.numbering, options.lastSeq ?? 0);
    this.#childKinds = options.childKinds;
    this.#executor = new Executor(options);
    this.#supposed = options.supposed;
    this.#driving = new Driving(options.machine, options.supposed);
    options.machine.calls = () => this.#frames.waiting();
  }

  /** No driver is in the middle of anything: the machine's whole state is its store and the open calls. */
  get atRest(): boolean {
    return this.#driving.busy === 0 && this.#frames.allCalling();
  }

  /** Calls that have been made and not returned. */
  openCalls(): OpenCall[] {
    return this.#returns.open();
  }

  /** Puts an open call back, after a restore from a checkpoint. */
  reopen(event: TraceEvent, { sub, waits }: OpenCall): void {
    const frame = openFrame(this.#machine, event);
    frame.sub = sub;
    frame.phase = waits ? 'waiting' : 'calling';
    this.#await(frame);
  }

  /** A call that was fed before it had returned has done so: the event with its answer. */
  answer(event: TraceEvent): void {
    const frame = this.#frames.get(event.seq);
    if (frame?.phase !== 'waiting' && frame?.phase !== 'calling') return;
    frame.stimulus = event;
    frame.completed = event;
    this.#await(frame);
  }

  /** Live: a signal ends the wait of a call. */
  interrupt(seq: Seq, t: TimeNs): void {
    const frame = this.#frames.get(seq);
    if (frame?.phase !== 'waiting') return;
    this.#numbers.time = Math.max(this.#numbers.time, t);
    this.#wake(frame, true, NOTHING_AHEAD);
    this.#returnDone(this.#numbers.time);
  }

  /** Replays one event. */
  feed(event: TraceEvent, ahead: Ahead): void {
    const { t, parent } = event;
    this.settle(t, ahead, parent);
    const frame = this.#frames.get(parent);
    this.#numbers.time = t;
    this.events++;
    if (frame === undefined) this.#stimulus(event, ahead);
    else this.#below(frame, event, ahead);
    if (this.#returns.size === 0) return;
    this.#wakeReady();
    // While recording, events below the last one have moved the time on.
    const { time } = this.#numbers;
    // What stands below a call is done before the call returns, at the very time too.
    const below = (due: Frame) => ahead.some((e) => e.t === time && this.#frames.get(e.parent) === due);
    const later = (due: Frame) => (due.phase === 'waiting' ? !this.#driving.isReady(due) : below(due));
    this.#returnDone(time, ahead.time() === time ? later : undefined);
  }

  /**
   * Ends the replay: calls that return do so, what was expected and never came is a divergence. Of a recording
   * that was cut what was going on at its end is left where it stood.
   */
  finish(cut = false): void {
    this.settle(Number.MAX_SAFE_INTEGER, NOTHING_AHEAD);
    for (const frame of this.#frames.all()) {
      if (!cut) this.#close(frame);
      else if (frame.phase !== 'calling') this.#abandon(frame);
    }
    this.#returnDone(Number.MAX_SAFE_INTEGER);
    this.#machine.store.flush();
  }

  #stimulus(given: TraceEvent, ahead: Ahead): void {
    const { kernel } = this.#machine.profile;
    if (given.parent !== undefined) this.verdict.orphan(given, this.#frames.isOver(given.parent), kernel);
    const event = named(this.#machine, this.#numbers.recorded(given), ahead);
    // The end of what nobody could follow: registers may have been reset since.
    if (event.kind === 'lifecycle' && event.phase === 'end') this.#machine.lost(event, true);
    const isCall = event.kind === 'msr' || event.kind === 'hypercall' || event.kind === 'intercept';
    const frame = isCall ? this.#answered(event) : this.#happened(event);
    if (frame === undefined) return;
    this.#frames.join(frame, event.seq);
    this.#advance(frame, ahead);
  }

  /** What the hypervisor answers. Most accesses and calls cause nothing further: nothing is opened for them. */
  #answered(event: TraceEvent): Frame | undefined {
    const address = at(event.seq);
    const { answer } = this.#executor.execute(event, address, undefined, this.verdict);
    const isDone = answer.kind === 'none' || answer.emitted === undefined;
    if (isDone && event.kind !== 'intercept') {
      this.#frames.over(event.seq, ruleOf(answer));
      return undefined;
    }
    const frame = openFrame(this.#machine, event);
    expectEmitted(frame, answer, address);
    leaveUnsaid(frame, event, answer);
    // The kernel hears of a VP's stop by what the hypervisor made of it.
    this.#driving.enter(frame);
    return frame;
  }

  /** What the kernel handles, or what only happened. */
  #happened(event: TraceEvent): Frame {
    const frame = openFrame(this.#machine, event);
    this.#executor.happened(frame, () => {
      this.#driving.enter(frame);
      this.#driving.resume(frame);
    });
    return frame;
  }

  /** A recorded event below an open stimulus. */
  #below(frame: Frame, given: TraceEvent, ahead: Ahead): void {
    const event = this.#numbers.recorded(given);
    const address = at(event.seq);
    if (isUnsaid(frame, given) && !isAnnounced(frame, event)) {
      this.#frames.join(frame, event.seq);
      this.#follow(frame, event, address);
      this.#advance(frame, ahead);
      return;
    }
    if (frame.phase === 'waiting') this.#goesOn(frame, event);
    for (;;) {
      const next = this.#driving.next(frame, () => event);
      if (next === undefined) break;
      if (sameEvent(next.what, event)) {
        frame.queue.shift();
        this.#frames.join(frame, event.seq);
        this.#match(frame, next, event, address);
        this.#advance(frame, ahead);
        return;
      }
      const recordedLater = (e: TraceEvent) =>
        this.#frames.get(e.parent) === frame && sameEvent(next.what, e);
      if (this.#childKinds.has(next.what.kind) && ahead.some(recordedLater)) break;
      if (this.#isGuess(frame, next)) this.#lose(frame);
      else {
        this.verdict.event(event.seq, next.what, event);
        this.#derive(frame, ahead);
      }
    }
    this.#frames.join(frame, event.seq);
    if (!isGone(this.#supposed, frame, event.seq)) {
      if (frame.certain) this.verdict.event(event.seq, undefined, event);
      else this.verdict.unmodelled++;
      this.#follow(frame, event, address);
    }
    this.#advance(frame, ahead);
  }

  /** Below a call that waits: a stop of the VP is its return's cause; else a signal came, or a stop that no event shows. */
  #goesOn(frame: Frame, event: TraceEvent): void {
    const goesOn = this.#driving.isReady(frame) || frame.handler?.loops?.(this.#machine) === true;
    const isUnseen = !goesOn && !this.#childKinds.has('intercept') && recordedRet(frame.stimulus) === 0;
    if (isUnseen) frame.certain = false;
    this.#driving.wake(frame, event.kind !== 'intercept' && !goesOn && !isUnseen);
  }

  #match(frame: Frame, expected: Expectation, given: TraceEvent, address: Address): void {
    const event = asSupposed(this.#supposed, frame.certain, expected.what, given);
    if (expected.asked && !frame.certain) this.verdict.unmodelled++;
    else
      compareRequest(expected.what, event, address, this.verdict, (reason) =>
        this.#machine.countBound(reason),
      );
    const { answer, completed } = this.#executor.execute(event, address, expected.parent, this.verdict);
    nest(frame, completed, address);
    answered(frame, expected, answer, address);
    leaveUnsaid(frame, event, answer);
  }

  /** An event that the engine does not work out: it happened, so its effects do too. */
  #follow(frame: Frame, event: TraceEvent, address: Address): void {
    const { answer } = this.#executor.execute(event, address, at(frame.stimulus.seq), this.verdict);
    if (event.kind === 'hypercall') this.#machine.followed(event);
    expectEmitted(frame, answer, address);
    leaveUnsaid(frame, event, answer);
  }

  /** The record goes another way than a driver that is not certain, or shows too little: what it does is not known. */
  #lose(frame: Frame): void {
    this.#driving.lose(frame);
    this.#machine.lost(frame.stimulus, this.#childKinds.has('hypercall'));
  }

  /** Works off what is not recorded; stops at an event that the recording is going to have. */
  #advance(frame: Frame, ahead: Ahead): void {
    for (;;) {
      if (frame.unsaid !== undefined && ahead.some((event) => isUnsaid(frame, event))) return;
      const next = this.#driving.next(frame, () =>
        firstAhead(ahead, (e) => this.#frames.get(e.parent) === frame),
      );
      if (next === undefined) break;
      if (this.#childKinds.has(next.what.kind)) return;
      if (this.#isGuess(frame, next)) this.#lose(frame);
      else this.#derive(frame, ahead);
    }
    if (frame.phase !== 'done') this.#finished(frame);
  }

  /** Nobody knows whether the driver does it, and the record does not show it. What is played happens as it is worked out. */
  #isGuess(frame: Frame, next: Expectation): boolean {
    return this.#numbering === 'derive' && next.asked && !frame.certain;
  }

  /** Makes the next expected event a derived one (or, while recording, the next event). */
  #derive(frame: Frame, ahead: Ahead): void {
    const expected = frame.queue.shift();
    if (expected === undefined) return;
    const address = this.#numbers.next(frame);
    const event = this.#numbers.event(expected, address, frame.stimulus, ahead);
    this.derived++;
    const shown = expected.what.kind === 'hypercall' ? expected.what.recorded : undefined;
    const { answer, completed } = this.#executor.execute(event, address, expected.parent, undefined, shown);
    nest(frame, completed, address);
    answered(frame, expected, answer, address);
    // What comes next hangs on an answer that is not known.
    const { initial } = this.#machine.profile;
    if (initial === 'unknown' && expected.asked && isUnmodelled(answer)) frame.certain = false;
  }

  /** The driver is through and nothing is expected any more: compare the outcome, await the return. */
  #finished(frame: Frame): void {
    const { stimulus, outcome } = frame;
    if (frame.phase === 'leaving') {
      this.#executor.returned(frame);
      this.#frames.drop(frame);
    } else if (stimulus.kind !== 'ioctl' && stimulus.kind !== 'fd') {
      this.#frames.drop(frame);
    } else if (outcome?.ret === undefined && frame.handler?.wake !== undefined && !frame.lost) {
      frame.phase = 'waiting';
      this.#await(frame);
    } else {
      frame.phase = 'calling';
      compareOutcome(stimulus, frame.certain ? outcome : undefined, this.#machine, this.verdict);
      frame.completed = this.#executor.completed(frame, stimulus, this.#numbers.end(stimulus));
      this.#await(frame);
    }
  }

  #await(frame: Frame): void {
    const { completed } = frame;
    if (completed.kind !== 'ioctl' && completed.kind !== 'fd') return;
    frame.returns = returnTime(this.#supposed, completed);
    this.#frames.join(frame, completed.seq);
    this.#returns.add(frame);
  }

  /**
   * Calls that what just happened lets go on do so: live, and where the record shows nothing below a call, which another
   * one may wait for.
   */
  #wakeReady(): void {
    const isLive = this.#numbering === 'record';
    if (!isLive && this.#childKinds.has('hypercall')) return;
    for (const frame of this.#returns.all()) {
      const wakes = frame.phase === 'waiting' && (isLive || frame.handler?.inTurn === true);
      if (wakes && this.#driving.isReady(frame)) this.#wake(frame, false, NOTHING_AHEAD);
    }
  }

  #wake(frame: Frame, signal: boolean, ahead: Ahead): void {
    this.#driving.wake(frame, signal);
    this.#advance(frame, ahead);
  }

  /** Returns that are due before an event at `t`; a call whose recorded children are still to come waits. */
  settle(t: number, ahead: Ahead, parent?: Seq): void {
    // What lets a waiting call go on may be what happens at the very time of its return.
    const above = this.#frames.get(parent);
    if (this.#returns.size > 0)
      this.#returnDone(t, (frame) => frame.returns === t && (frame.phase === 'waiting' || frame === above));
    if (this.#driving.busy === 0) return;
    for (const frame of this.#frames.all()) {
      if (!mayEnd(this.#supposed, frame, t, above)) continue;
      const below = (e: TraceEvent) => this.#frames.get(e.parent) === frame;
      if (!ahead.some(below)) this.#close(frame);
    }
  }

  /** Returns that have happened by `t`, up to the first that `later` puts off. */
  #returnDone(t: number, later: (frame: Frame) => boolean = () => false): void {
    for (;;) {
      const frame = this.#returns.due(t);
      if (frame === undefined || later(frame)) return;
      if (frame.phase === 'waiting') this.#endWait(frame);
      if (frame.phase !== 'calling') return;
      this.#returns.remove(frame);
      this.#leave(frame);
    }
  }

  /** A recorded return of a call that waits in the engine too: it goes on now, by a signal where it says so. */
  #endWait(frame: Frame): void {
    const { stimulus } = frame;
    const recorded = recordedRet(stimulus);
    const signal = recorded === -EINTR;
    if (signal) this.#machine.countBound('signal');
    this.#wake(frame, signal, NOTHING_AHEAD);
    if (frame.phase !== 'waiting') return;
    if (recorded === undefined) this.#returns.putOff(frame);
    else frame.phase = 'calling';
    // The engine says that it still waits; the record says that it returned.
    if (recorded !== undefined && frame.certain)
      this.verdict.differs(returnOf(stimulus.seq), 'ret', 'waits', String(recorded), 'drivers.wait');
  }

  #leave(frame: Frame): void {
    frame.phase = 'leaving';
    this.#executor.leaving(frame);
    this.#driving.leave(frame);
    this.#advance(frame, NOTHING_AHEAD);
  }

  /** Nothing more will be recorded below the stimulus: what is still expected is missing. */
  #close(frame: Frame): void {
    const { stimulus } = frame;
    if (frame.phase === 'waiting' || isOpen(frame)) {
      this.#abandon(frame);
      return;
    }
    for (;;) {
      const next = this.#driving.next(frame);
      if (next === undefined) break;
      if (this.#isGuess(frame, next)) {
        this.#lose(frame);
        continue;
      }
      if (this.#childKinds.has(next.what.kind)) this.verdict.event(stimulus.seq, next.what, undefined);
      this.#derive(frame, NOTHING_AHEAD);
    }
    if (frame.phase !== 'calling' && frame.phase !== 'done') this.#finished(frame);
  }

  /** The stimulus never comes to its end. */
  #abandon(frame: Frame): void {
    this.#driving.stop(frame);
    this.#frames.drop(frame);
  }
}
