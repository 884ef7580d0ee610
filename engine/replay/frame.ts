import type { Answer, DriverRun, Emitted, Outcome, Request } from '../machine/child.ts';
import type { Handler } from '../machine/sides.ts';
import type { TraceEvent } from '../trace/event.ts';
import type { Address, Seq, TimeNs } from '../trace/position.ts';

/** An event that the engine says comes next below a stimulus. */
export interface Expectation {
  readonly what: Request | Emitted;
  readonly parent: Address;
  /** A driver waits for the answer (else the hypervisor made the event and nobody waits). */
  readonly asked: boolean;
}

/** A stimulus that is being worked on: its driver, what is expected next below it, and what it has come to. */
export interface Frame {
  readonly stimulus: TraceEvent;
  readonly handler: Handler | undefined;
  run: DriverRun<Outcome | undefined> | undefined;
  /** Answer to hand to the driver when it is resumed. */
  answer: Answer;
  readonly queue: Expectation[];
  /** Numbers of the stimulus and of the recorded events below it. */
  readonly members: number[];
  /** Life-cycle steps that have begun below the stimulus and not ended, innermost last. */
  readonly open: Address[];
  /** Number of the last derived event below the stimulus. */
  sub: number;
  outcome: Outcome | undefined;
  /** Journal length and `sub` when the return began. */
  leaveFrom: number;
  leaveSub: number;
  /** `waiting`: the call has no result yet; `calling`: it has one and has not returned. */
  phase: 'entering' | 'waiting' | 'waking' | 'calling' | 'leaving' | 'done';
  /** When the call returns; undefined while that is not known. */
  returns: TimeNs | undefined;
  /** What the stimulus came to, with recorded answers where there are any; handed to `leave`. */
  completed: TraceEvent;
}

/** A call that has been made and not returned, for a checkpoint. */
export interface OpenCall {
  readonly seq: Seq;
  /** Events derived below it so far. */
  readonly sub: number;
  /** It has no result yet. */
  readonly waits: boolean;
}
