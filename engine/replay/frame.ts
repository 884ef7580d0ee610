import type { Answer, DriverRun, Emitted, NoAnswer, Outcome, Request } from '../machine/child.ts';
import type { Machine } from '../machine/machine.ts';
import type { Handler } from '../machine/sides.ts';
import { UNMODELLED } from '../machine/unmodelled.ts';
import type { TraceEvent } from '../trace/event.ts';
import { type Address, at, type Seq, type TimeNs } from '../trace/position.ts';
import { sameEvent } from './match.ts';
import { isDriven } from './stimulus.ts';

/** An event that the engine says comes next below a stimulus. */
export interface Expectation {
  readonly what: Request | Emitted;
  readonly parent: Address;
  /** A driver does it, or ends by it (else the hypervisor made the event and nobody waits). */
  readonly asked: boolean;
}

/** A stimulus that is being worked on: its driver, what is expected next below it, and what it has come to. */
export interface Frame {
  /** Put in anew where its answer comes after it. */
  stimulus: TraceEvent;
  readonly handler: Handler | undefined;
  run: DriverRun<Outcome | undefined> | undefined;
  /** Answer to hand to the driver when it is resumed. */
  answer: Answer;
  readonly queue: Expectation[];
  /** Numbers of the stimulus and of the recorded events below it. */
  readonly members: number[];
  /** Life-cycle steps that have begun below the stimulus and not ended, innermost last. */
  readonly open: Address[];
  /** What its driver does is known: it has looked at nothing that is not, and the kernel's part is modelled. */
  certain: boolean;
  /** The recording went another way than a driver that is not certain: it alone counts. */
  lost: boolean;
  /** Recorded events below it of which nobody can say what they cause. */
  unsaid: Set<number> | undefined;
  /** How many of the events that were taken out below it have been passed over. */
  passed: number;
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

/** What is handed to a driver that starts, and to one whose note nobody answers. */
export const NO_ANSWER: NoAnswer = { kind: 'none' };

/** What the kernel's side does with a stimulus; a step of a life cycle that another one brought about is not begun by its own record. */
function handlerOf(machine: Machine, event: TraceEvent): Handler | undefined {
  const isDone = !isDriven(event) || (event.kind === 'lifecycle' && event.parent !== undefined);
  return isDone ? undefined : machine.handler(event);
}

/** By its record the call never returned. */
export function isOpen({ stimulus }: Frame): boolean {
  return stimulus.kind === 'ioctl' && stimulus.ret === null;
}

/** By its record the call has returned before `t`. */
export function hasReturned({ stimulus }: Frame, t: number): boolean {
  return stimulus.kind === 'ioctl' && typeof stimulus.ret === 'number' && (stimulus.tEnd ?? stimulus.t) < t;
}

/** A stimulus before anything was done with it. */
export function openFrame(machine: Machine, stimulus: TraceEvent): Frame {
  const handler = handlerOf(machine, stimulus);
  return {
    stimulus,
    handler,
    run: undefined,
    answer: NO_ANSWER,
    queue: [],
    members: [],
    open: [],
    certain: handler !== undefined || !isDriven(stimulus),
    lost: false,
    unsaid: undefined,
    passed: 0,
    sub: 0,
    outcome: undefined,
    leaveFrom: 0,
    leaveSub: 0,
    phase: 'entering',
    returns: undefined,
    completed: stimulus,
  };
}

/** No rule covers it, or it hangs on what is not known. */
export function isUnmodelled(answer: Answer): boolean {
  return answer.kind !== 'none' && answer.rule === UNMODELLED;
}

/** Nobody can say what comes of a recorded event below the stimulus: what was recorded of it is followed. */
export function leaveUnsaid(frame: Frame, { seq, parent }: TraceEvent, answer: Answer): void {
  if (!isUnmodelled(answer) && (parent === undefined || frame.unsaid?.has(parent) !== true)) return;
  frame.unsaid ??= new Set();
  frame.unsaid.add(seq);
}

/** The hypervisor made it, and nobody can say whether it had to. */
export function isUnsaid({ unsaid }: Frame, { parent, component }: TraceEvent): boolean {
  return unsaid !== undefined && parent !== undefined && component === 'hypervisor' && unsaid.has(parent);
}

/** What else happened while it answered is next (a timer that expired), and is this. */
export function isAnnounced({ queue: [next] }: Frame, event: TraceEvent): boolean {
  return next !== undefined && !next.asked && sameEvent(next.what, event);
}

/** Hands an answer to whoever waits for it. */
export function answered(frame: Frame, expected: Expectation, answer: Answer, address: Address): void {
  if (expected.asked) frame.answer = answer;
  expectEmitted(frame, answer, address);
}

/** Events that the hypervisor made while it answered come before anything else. */
export function expectEmitted(frame: Frame, answer: Answer, parent: Address): void {
  if (answer.kind === 'none' || answer.emitted === undefined) return;
  frame.queue.unshift(...answer.emitted.map((what) => ({ what, parent, asked: false })));
}

/** What causes the next event below the stimulus: the innermost step that is open, else the stimulus itself. */
export function parentIn({ open, stimulus }: Frame): Address {
  return open.length === 0 ? at(stimulus.seq) : (open[open.length - 1] as Address);
}

/** A step that a driver begins is the parent of what follows until it ends. */
export function nest(frame: Frame, event: TraceEvent, address: Address): void {
  if (event.kind !== 'lifecycle') return;
  if (event.phase === 'end') frame.open.pop();
  else frame.open.push(address);
}
