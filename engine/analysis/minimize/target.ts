import type { Sides } from '../../machine/machine.ts';
import { replay } from '../../replay/replay.ts';
import type { EventSource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { type Address, formatAddress, seqOf } from '../../trace/position.ts';
import { check } from '../check.ts';

/** What a smaller trace must still show; positions are those of the whole trace. */
export type Target =
  | { readonly kind: 'finding'; readonly id: string }
  /** The engine's own answer at a position: a hypercall's status, a result of a call, or `fault`. */
  | { readonly kind: 'status'; readonly at: Address; readonly answer: number | 'fault' }
  | { readonly kind: 'divergence'; readonly at: Address };

/** The event of a target, without its recorded answer where the engine's is asked for; and its place in a smaller trace. */
export function askedOf(target: Target, event: TraceEvent): TraceEvent {
  if (target.kind !== 'status' || event.seq !== target.at.seq) return event;
  if (target.at.sub !== 0) return event;
  switch (event.kind) {
    case 'hypercall': {
      const { result: _result, output: _output, fault: _fault, ...call } = event;
      return call;
    }
    case 'ioctl': {
      const { ret: _ret, out: _out, tEnd: _tEnd, ...call } = event;
      return call;
    }
    case 'msr': {
      const { fault: _fault, ...access } = event;
      return access;
    }
    case 'fd': {
      const { ret: _ret, ...call } = event;
      return call;
    }
    default:
      return event;
  }
}

/** The answer that a step came to, as a target names it. */
export function answerOf(event: TraceEvent): number | 'fault' | undefined {
  switch (event.kind) {
    case 'hypercall':
      return event.fault === true ? 'fault' : event.result?.status;
    case 'msr':
      return event.fault === true ? 'fault' : 0;
    case 'ioctl':
    case 'fd':
      return event.ret ?? undefined;
    case 'lifecycle':
      return event.ret;
    default:
      return undefined;
  }
}

/** Whether a trace shows the target; `placeOf` gives the place of an event of the whole trace, 0 where it was left out. */
export function shows(
  target: Target,
  source: EventSource,
  sides: Sides,
  placeOf: (seq: number) => number,
): boolean {
  if (target.kind === 'finding') return check(source, sides).findings.some(({ id }) => id === target.id);
  const seq = placeOf(target.at.seq);
  if (seq === 0) return false;
  const at = formatAddress({ seq: seqOf(seq), sub: target.at.sub });
  if (target.kind === 'divergence')
    return replay(source, sides).divergences.some((divergence) => divergence.at === at);
  let answer: number | 'fault' | undefined;
  replay(source, sides, {
    observe: (step) => {
      const { address, returned } = step;
      // What a call came to is seen at its return.
      const isIt =
        address.seq === seq && (address.sub === target.at.sub || (returned && target.at.sub === 0));
      if (isIt) answer = answerOf(step.event) ?? answer;
    },
  });
  return answer === target.answer;
}
