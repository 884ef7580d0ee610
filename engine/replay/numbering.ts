import type { TraceEvent } from '../trace/event.ts';
import { type Address, at, RETURN_SUB, seqOf, type TimeNs, timeNs } from '../trace/position.ts';
import type { Ahead } from './ahead.ts';
import type { Expectation, Frame } from './frame.ts';

/**
 * How events below a stimulus get their addresses. `derive`: recorded events keep their numbers and what the
 * engine works out stands at `seq.k`. `record`: everything is about to be recorded and takes the next number.
 */
export type Numbering = 'derive' | 'record';

/** Events that `record` numbering puts below one stimulus stand this far apart, so that a timeline shows them. */
const CHILD_SPACING_NS = 100;

/** Address of the return of the call at `seq`. */
export function returnOf(seq: number): Address {
  return at(seq, RETURN_SUB);
}

/** Gives events their numbers and times. */
export class Numberer {
  /** Time of the last event, ns. */
  time = 0;
  readonly #numbering: Numbering;
  #last: number;

  constructor(numbering: Numbering, last: number) {
    this.#numbering = numbering;
    this.#last = last;
  }

  /** An event that was handed in, with its number. */
  recorded(event: TraceEvent): TraceEvent {
    if (this.#numbering === 'record') {
      const seq = seqOf(++this.#last);
      return event.seq === seq ? event : { ...event, seq };
    }
    this.#last = event.seq;
    return event;
  }

  /** Address of the next event below a stimulus. */
  next(frame: Frame): Address {
    if (this.#numbering === 'record') return at(++this.#last);
    frame.sub++;
    return at(frame.stimulus.seq, frame.sub);
  }

  /** What the engine says comes next, as an event of the trace. */
  event(expected: Expectation, address: Address, stimulus: TraceEvent, ahead: Ahead): TraceEvent {
    const recording = this.#numbering === 'record';
    if (recording) this.time = Math.min(this.time + CHILD_SPACING_NS, this.#limit(stimulus, ahead));
    return {
      ...asEvent(expected.what),
      seq: address.seq,
      parent: expected.parent.seq,
      t: recording ? timeNs(this.time) : stimulus.t,
      provenance: recording ? 'emulated' : 'derived',
    } as TraceEvent;
  }

  /** When a call without a recorded end returns. */
  end(stimulus: TraceEvent): TimeNs {
    return this.#numbering === 'record' ? timeNs(Math.max(this.time, stimulus.t)) : stimulus.t;
  }

  #limit(stimulus: TraceEvent, ahead: Ahead): number {
    const end = stimulus.kind === 'ioctl' ? stimulus.tEnd : undefined;
    const next = ahead.time();
    return Math.max(this.time, Math.min(end ?? Number.MAX_SAFE_INTEGER, next ?? Number.MAX_SAFE_INTEGER));
  }
}

/** Without what only the machine is told. Most requests have nothing of it, and leaving out is dear. */
export function asEvent(what: Expectation['what']): object {
  if (what.kind !== 'hypercall' || !('bind' in what || 'bound' in what || 'recorded' in what)) return what;
  const { bind: _bind, bound: _bound, recorded: _recorded, forms: _forms, ...rest } = what;
  return rest;
}
