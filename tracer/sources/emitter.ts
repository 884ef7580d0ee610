import type { MarkEvent, TraceEvent } from '../../engine/trace/event.ts';
import { type Seq, seqOf, type TimeNs, timeNs } from '../../engine/trace/position.ts';
import type { CallAnswer } from '../store/index.ts';

type WithoutFrame<E> = E extends unknown ? Omit<E, 'seq' | 't' | 'provenance' | 'tEnd'> : never;

/** An event but for what the {@link Emitter} adds: number, times, provenance. */
export type EventBody = WithoutFrame<TraceEvent>;

/** The actor of an event, and its place on the machine. */
export type Actor = Pick<MarkEvent, 'cpu' | 'component' | 'pid' | 'tid' | 'vp'>;

/** Where events go; a TraceWriter is one. */
export interface EventSink {
  append(event: TraceEvent): void;
  /** The entry of a call that is answered later, or never. */
  begin(event: TraceEvent): void;
  complete(seq: Seq, answer: CallAnswer): void;
}

/** A call never returns before its entry, whatever its source says. */
function endOf(entry: TimeNs, tEnd: number): TimeNs {
  return timeNs(Math.min(Math.max(entry, tEnd), Number.MAX_SAFE_INTEGER));
}

/** Longest text that a mark keeps of what it stands for. */
const MAX_TEXT = 256;

/** A text cut to the length that a mark keeps. */
export function bounded(text: string): string {
  const whole = text.toWellFormed();
  return whole.length <= MAX_TEXT ? whole : `${whole.slice(0, MAX_TEXT - 1).toWellFormed()}…`;
}

/**
 * Gives events to a sink: numbered, provenance `observed`, at times that never decrease. What a source tells out of order is put
 * at the time of the event before, and counted.
 */
export class Emitter {
  readonly #sink: EventSink;
  readonly #entered = new Map<Seq, TimeNs>();
  #events = 0;
  #last = timeNs(0);
  #late = 0;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  get events(): number {
    return this.#events;
  }

  /** Events whose time was before that of the event before them. */
  get late(): number {
    return this.#late;
  }

  /** Time of the last event. */
  get now(): number {
    return this.#last;
  }

  /** Adds an event that is complete. `t` and `tEnd` (of calls): nanoseconds since the start of the trace. */
  add(body: EventBody, t: number, tEnd?: number): Seq {
    const event = this.#framed(body, t);
    this.#sink.append(tEnd === undefined ? event : ({ ...event, tEnd: endOf(event.t, tEnd) } as TraceEvent));
    return event.seq;
  }

  /** Adds a call that {@link answer} may complete. */
  begin(body: EventBody, t: number): Seq {
    const event = this.#framed(body, t);
    this.#sink.begin(event);
    this.#entered.set(event.seq, event.t);
    return event.seq;
  }

  /** The answer of a call that was begun; at `tEnd`, but not before its entry. */
  answer(seq: Seq, answer: Omit<CallAnswer, 'tEnd'>, tEnd?: number): void {
    const entry = this.#entered.get(seq);
    if (entry === undefined) throw new RangeError(`event ${seq} is not an open call`);
    this.#entered.delete(seq);
    const end = tEnd === undefined ? {} : { tEnd: endOf(entry, tEnd) };
    this.#sink.complete(seq, { ...answer, ...end });
  }

  /** A note for people. */
  note(text: string, t: number, actor: Actor = {}): Seq {
    return this.add({ ...actor, kind: 'mark', what: 'note', text: bounded(text) }, t);
  }

  /** So many events were lost here. */
  gap(lost: number, t: number, actor: Actor = {}): Seq {
    return this.add({ ...actor, kind: 'mark', what: 'gap', lost }, t);
  }

  #framed(body: EventBody, t: number): TraceEvent {
    if (t < this.#last) this.#late += 1;
    else this.#last = timeNs(t);
    this.#events += 1;
    return { ...body, seq: seqOf(this.#events), t: this.#last, provenance: 'observed' } as TraceEvent;
  }
}
