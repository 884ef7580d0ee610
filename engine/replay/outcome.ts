import type { Outcome } from '../machine/child.ts';
import type { Machine } from '../machine/machine.ts';
import { UNMODELLED } from '../machine/unmodelled.ts';
import type { FdEvent, IoctlEvent, TraceEvent } from '../trace/event.ts';
import { formatHandle, type Handle } from '../trace/handle.ts';
import type { TimeNs } from '../trace/position.ts';
import { compareBytes, type Verdict } from './compare.ts';
import { returnOf } from './numbering.ts';

const NONE = new Uint8Array(0);
/** Negative, as a call returns it. */
const EFAULT = -14;

/** Linux errno of a call that a signal interrupted. */
export const EINTR = 4;

/** The record shows what the call had to give to its caller. */
function givesBack(event: IoctlEvent | FdEvent): boolean {
  return event.kind === 'ioctl' && (event.out?.arg ?? event.out?.data) !== undefined;
}

/** The result that was recorded of an ioctl; undefined where it has none yet. */
export function recordedRet(event: TraceEvent): number | undefined {
  return event.kind === 'ioctl' && typeof event.ret === 'number' ? event.ret : undefined;
}

/** Compares what a call came to with what was recorded of its return. */
export function compareOutcome(
  event: IoctlEvent | FdEvent,
  outcome: Outcome | undefined,
  machine: Machine,
  verdict: Verdict,
): void {
  const address = returnOf(event.seq);
  if (typeof event.ret !== 'number') return;
  if (outcome === undefined && event.kind === 'ioctl' && machine.profile.kernel !== 'unknown')
    verdict.unmodelled++;
  if (outcome?.ret === undefined) return;
  if (outcome.rule === UNMODELLED) {
    verdict.unmodelled++;
    return;
  }
  const opens = outcome.ret >= 0 && event.ret >= 0 && isDescriptor(event, outcome);
  if (opens) machine.countBound('file-descriptor');
  else if (event.ret === EFAULT && givesBack(event)) machine.countBound('write-back');
  else verdict.field(address, 'ret', outcome.ret, event.ret, outcome.rule);
  if (event.kind !== 'ioctl' || event.out === undefined) return;
  const { handle, arg, data } = event.out;
  // A recorder that learns an id late has none here: nothing is said of it.
  if (handle !== undefined && isKnown(handle)) {
    const own = outcome.out?.handle;
    const text = own === undefined ? undefined : formatHandle(own);
    verdict.field(address, 'out.handle', text, formatHandle(handle), outcome.rule);
  }
  if (arg !== undefined) {
    compareBytes(address, 'out.arg', outcome.out?.arg ?? untouched(event), arg, verdict, outcome.rule);
  }
  if (data !== undefined) {
    const own = outcome.out?.data ?? NONE;
    compareBytes(address, 'out.data', own, filledPart(event, own, data), verdict, outcome.rule);
  }
}

/** An argument that a call has not written to: who looks on from outside finds it as it was. */
function untouched({ provenance, arg }: IoctlEvent): Uint8Array {
  return provenance === 'observed' && arg !== undefined ? arg : NONE;
}

/** Whoever looks on from outside keeps the whole buffer: how much of it a call has filled, only the call knows. */
function filledPart({ provenance }: IoctlEvent, own: Uint8Array, data: Uint8Array): Uint8Array {
  const isLonger = provenance === 'observed' && own.length > 0 && own.length < data.length;
  return isLonger ? data.subarray(0, own.length) : data;
}

function isKnown(handle: Handle): boolean {
  if (handle.kind !== 'partition' && handle.kind !== 'vp') return true;
  return handle.partition !== undefined && (handle.kind === 'partition' || handle.vp !== undefined);
}

/** The result of the call is the number of a new descriptor. */
function isDescriptor(event: IoctlEvent | FdEvent, outcome: Outcome): boolean {
  if (event.kind === 'fd') return event.what === 'open' || event.what === 'dup';
  return outcome.out?.handle !== undefined;
}

/** Live: gives a caller what its call came to; false where its memory does not take it. */
export type Deliver = (call: IoctlEvent) => boolean;

/**
 * A call that is over, as its caller sees it: EFAULT where the caller's memory does not take what it is given. What it
 * would have got stays on the event, which tells such a call from one whose argument could not be read.
 */
export function deliveredCall(event: TraceEvent, deliver: Deliver | undefined): TraceEvent {
  if (deliver === undefined || event.kind !== 'ioctl' || !givesBack(event)) return event;
  return deliver(event) ? event : { ...event, ret: EFAULT };
}

/** A call without an answer; few have one, and leaving out is dear. */
function asked(event: IoctlEvent): IoctlEvent {
  if (event.ret === undefined) return event;
  const { ret: _, ...call } = event;
  return call;
}

/**
 * The call with its recorded answers where there are any, else the engine's. Live, what stands as an ioctl's answer is only what the
 * program's files or memory would make of it: the driver may have refused the call before it looked at them.
 */
export function completedCall(
  given: IoctlEvent | FdEvent,
  outcome: Outcome | undefined,
  tEnd: TimeNs,
  isLive: boolean,
): TraceEvent {
  const event = isLive && given.kind === 'ioctl' && outcome?.ret !== undefined ? asked(given) : given;
  if (event.ret !== undefined || outcome?.ret === undefined) return event;
  const { ret } = outcome;
  if (event.kind === 'fd') return { ...event, ret };
  const end = event.tEnd ?? tEnd;
  const out = event.out ?? outcome.out;
  return out === undefined ? { ...event, ret, tEnd: end } : { ...event, ret, tEnd: end, out };
}
