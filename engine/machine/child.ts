import type {
  FdEvent,
  HypercallEvent,
  HypercallResult,
  InterceptEvent,
  IoctlOut,
  LifecycleEvent,
  MarkEvent,
  MessageEvent,
  MsrEvent,
  PageEvent,
} from '../trace/event.ts';
import type { BindReason } from './bindable.ts';

type Undated<E> = Omit<E, 'seq' | 'parent' | 't' | 'provenance' | 'tEnd'>;

/** An MSR access that a driver is about to make. */
export interface MsrRequest extends Undated<MsrEvent> {
  readonly kind: 'msr';
  readonly cpu: number;
  readonly component: string;
  /** What of the written value the engine cannot know and takes from a recorded access. */
  readonly bind?: BindReason;
}

/** What a record that shows a hypercall from outside says of its answer: for what the engine cannot know of it. */
export interface ShownCall {
  readonly result?: HypercallResult;
  readonly output?: Uint8Array;
}

/** A hypercall that a driver is about to issue; `output` is what a recorded call returned, where known. */
export interface HypercallRequest extends Undated<HypercallEvent> {
  readonly kind: 'hypercall';
  readonly cpu: number;
  readonly component: string;
  readonly input: Uint8Array;
  /** What of the input the engine cannot know and takes from a recorded call: the bytes of {@link bound}. */
  readonly bind?: BindReason;
  /** First byte that `bind` is about, and the first after it. */
  readonly bound?: readonly [from: number, to: number];
  readonly recorded?: ShownCall;
  /** Other forms that the call may have been made in, for what the engine cannot know of it. */
  readonly forms?: readonly CallForm[];
}

/** A call as it may have been made. */
export interface CallForm {
  readonly control: bigint;
  readonly input: Uint8Array;
}

/**
 * What a driver does besides: a step of a life cycle that begins or ends, a message slot it reads or clears, an eventfd
 * that it signals; and a stop of a VP that must have happened because its message was seen.
 */
export type NoteRequest =
  | Undated<LifecycleEvent>
  | Undated<MessageEvent>
  | Undated<InterceptEvent>
  | Undated<FdEvent>
  | Undated<PageEvent>
  | Undated<MarkEvent>;

/** What a driver yields: one event below the one that it handles. */
export type Request = MsrRequest | HypercallRequest | NoteRequest;

/** An event that the hypervisor makes while it answers: a message delivered, an interrupt, a VP stopped. */
export type Emitted = NoteRequest;

/** Id of the rule that produced an answer (docs/engine.md), `TLFS.synic.sint-vector`. */
export type AnswerRule = string;

export interface MsrAnswer {
  readonly kind: 'msr';
  /** The value read, or the value written as it took effect. */
  readonly value: bigint;
  /** #GP. */
  readonly fault: boolean;
  readonly rule: AnswerRule;
  readonly emitted?: readonly Emitted[];
}

export interface HypercallAnswer {
  readonly kind: 'hypercall';
  readonly result: HypercallResult;
  readonly output?: Uint8Array;
  /** #UD instead of a result. */
  readonly fault?: boolean;
  readonly rule: AnswerRule;
  readonly emitted?: readonly Emitted[];
}

/** What a stop of a VP brought about. */
export interface InterceptAnswer {
  readonly kind: 'intercept';
  readonly rule: AnswerRule;
  readonly emitted?: readonly Emitted[];
}

/** The answer to a note: nobody answers it. */
export interface NoAnswer {
  readonly kind: 'none';
}

export type Answer = MsrAnswer | HypercallAnswer | InterceptAnswer | NoAnswer;

/** What a handled stimulus came to: the result of an ioctl or fd call, or of a life-cycle step. */
export interface Outcome {
  /** Undefined: the call has not returned (it waits, or never will). */
  readonly ret?: number;
  readonly out?: IoctlOut;
  readonly rule: AnswerRule;
}

/** A piece of driver: runs between two points at which the machine is at rest; what waits is a cell. */
export type DriverRun<Result> = Generator<Request, Result, Answer>;
