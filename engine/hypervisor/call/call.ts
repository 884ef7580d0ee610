import type { ControlWord } from '../../abi/index.ts';
import type { Emitted, HypercallAnswer, HypercallRequest, ShownCall } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { HypercallEvent } from '../../trace/event.ts';
import { UNMODELLED } from '../rule-ids.ts';
import { STATUS } from './status.ts';

/** A hypercall whose control word is legal. */
export interface Call {
  readonly context: Context;
  readonly control: ControlWord;
  readonly input: Uint8Array;
  readonly event: HypercallRequest | HypercallEvent;
  /** The partition whose guest makes it; the own partition's kernel else. */
  readonly caller?: ObjectId;
}

/** What is recorded of a call's answer: on the event itself, or where only its cause was recorded. */
export function recordedAnswer(event: HypercallRequest | HypercallEvent): ShownCall {
  const shown: ShownCall = ('recorded' in event ? event.recorded : undefined) ?? {};
  const { result = shown.result, output = shown.output } = event;
  return { ...(result === undefined ? {} : { result }), ...(output === undefined ? {} : { output }) };
}

/** One hypercall that the hypervisor models. */
export interface CallRow {
  /** Name of the ABI table without HVCALL_. */
  readonly name: string;
  readonly answer: (call: Call) => HypercallAnswer;
}

/** A failure, or the success of a simple call: no element completed. */
export function failed(status: number, rule: string): HypercallAnswer {
  return { kind: 'hypercall', result: { status, reps: 0 }, rule };
}

export function succeeded(rule: string, output?: Uint8Array, emitted?: readonly Emitted[]): HypercallAnswer {
  const answer: HypercallAnswer = { kind: 'hypercall', result: { status: STATUS.SUCCESS, reps: 0 }, rule };
  if (output === undefined && emitted === undefined) return answer;
  return {
    ...answer,
    ...(output === undefined ? {} : { output }),
    ...(emitted === undefined ? {} : { emitted }),
  };
}

/** A rep call that got as far as `reps` elements, counted from 0. */
export function repeated(status: number, reps: number, rule: string, output?: Uint8Array): HypercallAnswer {
  const answer: HypercallAnswer = { kind: 'hypercall', result: { status, reps }, rule };
  return output === undefined ? answer : { ...answer, output };
}

/**
 * A call that the engine does not model: the recorded result stands. Where there is none the hypervisor of this
 * machine really does not know the call, and says so as one that does not would.
 */
export function unmodelledCall(event: HypercallRequest | HypercallEvent): HypercallAnswer {
  const { result = { status: STATUS.INVALID_HYPERCALL_CODE, reps: 0 }, output } = recordedAnswer(event);
  const answer: HypercallAnswer = { kind: 'hypercall', result, rule: UNMODELLED };
  return output === undefined ? answer : { ...answer, output };
}

/** Whether a call is refused with one of these statuses that hangs on what nobody saw: as the record says, and open without one. */
export function refusedInRecord(
  { context, event }: Call,
  statuses: ReadonlySet<number>,
): HypercallAnswer | undefined {
  const { result } = recordedAnswer(event);
  if (result === undefined) context.store.doubt();
  return result !== undefined && statuses.has(result.status) ? unmodelledCall(event) : undefined;
}
