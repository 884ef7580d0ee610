import type { Answer, Emitted, Request } from '../machine/child.ts';
import type { FdEvent, IoctlEvent, TraceEvent } from '../trace/event.ts';
import { at, type TimeNs } from '../trace/position.ts';
import { Verdict } from './compare.ts';
import { type Frame, hasReturned, isOpen, NO_ANSWER } from './frame.ts';
import { compareRequest, sameEvent } from './match.ts';
import { asEvent } from './numbering.ts';

/**
 * What a replay is told of a trace that was changed: what is recorded below a stimulus was recorded of another run. What the
 * engine works out counts there, and the record only where it was changed or where the engine never explained it.
 */
export interface Supposed {
  /** Events that happen whatever the engine works out: those that were changed, and those that it did not explain before. */
  readonly given: ReadonlySet<number>;
  /** What was taken out below each stimulus, in order, with its answers: who asked for it goes on as after those. */
  readonly taken: ReadonlyMap<number, readonly TraceEvent[]>;
  /** Told of each recorded event that does not happen. */
  readonly gone: (seq: number) => void;
}

/**
 * Whether a stimulus below which nothing more is recorded has come to its end before `t`: a call that returned. In a trace that was
 * changed others have too, for they may do more than is recorded, but not that which the `next` event stands below.
 */
export function mayEnd(
  supposed: Supposed | undefined,
  frame: Frame,
  t: number,
  next: Frame | undefined,
): boolean {
  if (frame.phase === 'calling' || frame.phase === 'waiting') return false;
  // What a return leads to comes after it.
  if (frame.phase === 'leaving' && frame === next) return false;
  return hasReturned(frame, t) || (supposed !== undefined && !isOpen(frame) && frame !== next);
}

/**
 * When a call returns by its record; undefined where it does not, or nobody knows. In a trace that was changed a call without its
 * answer is asked for it when it returned.
 */
export function returnTime(supposed: Supposed | undefined, call: IoctlEvent | FdEvent): TimeNs | undefined {
  const tEnd = call.kind === 'ioctl' ? call.tEnd : undefined;
  if (call.ret === null) return undefined;
  if (call.ret === undefined) return supposed === undefined ? undefined : tEnd;
  return tEnd ?? call.t;
}

/** A recorded event below a stimulus that nothing leads to any more; `supposed` is told. */
export function isGone(supposed: Supposed | undefined, frame: Frame, seq: number): boolean {
  if (supposed === undefined || !frame.certain || supposed.given.has(seq)) return false;
  supposed.gone(seq);
  return true;
}

/** A recorded event as it happens now: with other values where what led to it is no longer the same. */
export function asSupposed(
  supposed: Supposed | undefined,
  certain: boolean,
  what: Request | Emitted,
  event: TraceEvent,
): TraceEvent {
  if (supposed === undefined || !certain || supposed.given.has(event.seq)) return event;
  const verdict = new Verdict();
  compareRequest(what, event, at(event.seq), verdict, () => {});
  if (verdict.diverged === 0) return event;
  const { seq, parent, t, provenance } = event;
  return { ...asEvent(what), seq, parent, t, provenance } as TraceEvent;
}

/** The answer that an event got which was taken out of the trace; undefined where the one that comes next was not. */
export function answerOfTaken(
  { taken }: Supposed,
  frame: Frame,
  next: Request | Emitted,
  recorded: (() => TraceEvent | undefined) | undefined,
): Answer | undefined {
  const event = taken.get(frame.stimulus.seq)?.[frame.passed];
  if (event === undefined || event.component !== next.component || !sameEvent(next, event)) return undefined;
  const following = recorded?.();
  if (following !== undefined && sameEvent(next, following) && following.component === next.component)
    return undefined;
  frame.passed++;
  return answerOf(event);
}

function answerOf(event: TraceEvent): Answer {
  const rule = 'recorded';
  if (event.kind === 'msr')
    return { kind: 'msr', value: event.value ?? 0n, fault: event.fault ?? false, rule };
  if (event.kind !== 'hypercall') return NO_ANSWER;
  const { result = { status: 0, reps: 0 }, fault = false, output } = event;
  const answer = { kind: 'hypercall', result, fault, rule } as const;
  return output === undefined ? answer : { ...answer, output };
}
