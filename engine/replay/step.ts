import type { AnswerRule } from '../machine/child.ts';
import type { TraceEvent } from '../trace/event.ts';
import type { Address } from '../trace/position.ts';

/**
 * One thing that replay did: a recorded event, an event derived below it, or the return of a call. Steps come
 * in the order in which they take effect. `event` is complete: answers that were not recorded are the engine's.
 */
export interface Step {
  readonly address: Address;
  readonly event: TraceEvent;
  /** Address of the event that caused this one; undefined for a stimulus. */
  readonly parent: Address | undefined;
  readonly derived: boolean;
  /** True for the step at a call's return: `event` then has `ret` and `out`, and its return-side effects are done. */
  readonly returned: boolean;
  /** The rule that produced the engine's answer; undefined where nobody answered. */
  readonly rule: AnswerRule | undefined;
  /** Journal entries `from` up to but not including `to` were written by this step alone. */
  readonly from: number;
  readonly to: number;
  /** On a return: number of the first event derived in the return phase, if any was. */
  readonly firstSub?: number;
}

/** Watches a replay. Observers only read; the store may be read during the call alone. */
export type StepObserver = (step: Step) => void;
