import type {
  FdEvent,
  HypercallEvent,
  InterceptEvent,
  IoctlEvent,
  LifecycleEvent,
  MessageEvent,
  MsrEvent,
  PageEvent,
  TraceEvent,
} from '../trace/event.ts';
import type { Handle } from '../trace/handle.ts';
import type {
  DriverRun,
  HypercallAnswer,
  HypercallRequest,
  InterceptAnswer,
  MsrAnswer,
  MsrRequest,
  NoteRequest,
  Outcome,
} from './child.ts';
import type { Context } from './context.ts';

/** The hypervisor's side: answers accesses and calls, purely from the store and the profile. */
export interface HypervisorSide {
  /** Creates the state that exists before the first event. */
  initialise(context: Context): void;
  /** Answers an MSR access of a kernel component on a CPU of the partition that the trace is about. */
  msr(context: Context, access: MsrRequest | MsrEvent): MsrAnswer;
  /** Answers a hypercall; `call.output` holds what a recorded call returned, for bound outputs only. */
  hypercall(context: Context, call: HypercallRequest | HypercallEvent): HypercallAnswer;
  /** A VP stopped: takes over its registers and its message, and says what its parent is told. */
  intercept(context: Context, event: InterceptEvent): InterceptAnswer;
  /**
   * Takes over what a message event does to message pages and queues when it takes place, be it recorded, made
   * by the hypervisor itself (which only announces it in an answer) or by a driver that frees a slot.
   */
  note(context: Context, event: NoteRequest | MessageEvent): void;
  /** Takes over what a page of memory is seen to hold. */
  page(context: Context, event: PageEvent): void;
}

/**
 * Stimuli that the kernel's side handles; of a VP's stop, of an event flag, and of what a guest's access
 * or call leads to it hears by an interrupt.
 */
export type DriverStimulus =
  | IoctlEvent
  | FdEvent
  | LifecycleEvent
  | InterceptEvent
  | MessageEvent
  | MsrEvent
  | HypercallEvent;

/**
 * How one stimulus is handled: `enter` from its entry on, `leave` at its return (the event then has ret and out).
 * A call whose outcome has no result waits (RUN_VP): it goes on with `wake` when it is `ready` or a signal came.
 */
export interface Handler<E extends DriverStimulus = DriverStimulus> {
  /** What it comes to: at once where nothing is asked of the hypervisor. */
  enter(context: Context, event: E): DriverRun<Outcome> | Outcome;
  /** Whether a waiting call can go on in the present state. */
  ready?(context: Context, event: E): boolean;
  /** Whether it goes on by itself too, so that what is recorded below it while it waits tells of no signal. */
  loops?(context: Context): boolean;
  /** Waiting calls go on one after the other, each when the one before is through. */
  readonly inTurn?: boolean;
  /** What a waiting call does when it goes on: to its result, or to waiting again (an outcome without one). */
  wake?(context: Context, event: E, signal: boolean): DriverRun<Outcome>;
  /** What takes effect at the return, all of it at once where nothing is asked of the hypervisor. */
  leave?(context: Context, event: E): DriverRun<void> | undefined;
}

/** The kernel's side: turns a stimulus into the hypercalls and MSR accesses of that kernel version. */
export interface DriverSide {
  initialise(context: Context): void;
  /** Undefined where nothing is modelled for this stimulus (then only what was recorded below it counts). */
  handler(context: Context, event: DriverStimulus): Handler | undefined;
  /**
   * Takes over what a hypercall that has been answered shows of the kernel's own state, be it recorded or
   * derived: it may come with nothing of what led to it.
   */
  called(context: Context, call: HypercallRequest | HypercallEvent, answer: HypercallAnswer): void;
  /** The same of a recorded hypercall that no driver was seen to ask for: what led the kernel to it is not in the record. */
  followed(context: Context, call: HypercallEvent): void;
  /**
   * What came of a stimulus is not known: nor is what it may have changed, of the hypervisor's too where the record
   * does not show the hypercalls below it.
   */
  lost(context: Context, event: TraceEvent, showsHypercalls: boolean): void;
  /** What a descriptor of a process stands for; undefined where that has not been shown, or is none of these drivers' files. */
  file(context: Context, pid: number | undefined, fd: number | undefined): Handle | undefined;
  /** The same as {@link DriverSide.called} for a message that is delivered to the kernel. */
  noted(context: Context, event: NoteRequest | MessageEvent): void;
}
