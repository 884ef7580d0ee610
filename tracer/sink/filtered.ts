import type { CaptureFilter } from '../../engine/filter/capture.ts';
import type { MarkEvent, TraceEvent } from '../../engine/trace/event.ts';
import { type Seq, seqOf, type TimeNs, timeNs } from '../../engine/trace/position.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import type { CallAnswer } from '../store/index.ts';
import type { EventSink } from './event-sink.ts';

/**
 * How long a call that has not returned keeps what comes behind it out of the file, where the filter asks about its
 * answer. With the 100 ms between two commits it stays below the 250 ms that a kill may cost.
 */
const MOST_HELD_MS = 100;
/** Events that wait behind such a call at most. */
const MOST_HELD = 4096;

interface Held {
  event: TraceEvent;
  verdict: 'kept' | 'dropped' | 'undecided';
  /** It has an answer to come. */
  open: boolean;
  readonly sinceMs: number;
}

/**
 * Hands on the events that a filter matches, numbered anew. An event whose parent is not among them becomes one without a
 * parent. Before the first, and wherever some were left out since the last one, stands a mark that says so.
 */
export class FilteredSink implements EventSink {
  readonly #target: EventSink;
  #filter: CaptureFilter;
  readonly #nowMs: () => number;
  readonly #held: Held[] = [];
  /** Of a call in {@link #held} whose answer is to come. */
  readonly #waiting = new Map<Seq, Held>();
  /** New numbers of what may still get an answer or children: the last stimulus with all below it, and open calls. */
  readonly #numbers = new Map<Seq, Seq>();
  readonly #open = new Set<Seq>();
  #written = 0;
  #lost = 0;
  #dropped = 0;
  #last: TimeNs = timeNs(0);

  /** `nowMs` is a clock that does not go backwards. */
  constructor(target: EventSink, filter: CaptureFilter, nowMs: () => number) {
    this.#target = target;
    this.#filter = filter;
    this.#nowMs = nowMs;
    this.#mark({
      what: 'note',
      text: `recorded with the filter ${filter.text}; what it does not match was not written`,
    });
  }

  /** Events that were not written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The same filter, read again: names mean other numbers once it is known which kernel it is. */
  readAs(filter: CaptureFilter): void {
    this.#filter = filter;
  }

  append(event: TraceEvent): void {
    this.#take(event, false, this.#filter.holds(event) ? 'kept' : 'dropped');
  }

  begin(event: TraceEvent): void {
    // The handle of an open descriptor comes with its answer as well.
    if (this.#filter.asksAnswer || event.kind === 'fd') this.#take(event, true, 'undecided');
    else this.#take(event, true, this.#filter.holds(event) ? 'kept' : 'dropped');
  }

  complete(seq: Seq, answer: CallAnswer): void {
    const held = this.#waiting.get(seq);
    if (held === undefined) {
      const number = this.#numbers.get(seq);
      if (number !== undefined && this.#open.delete(seq)) this.#target.complete(number, answer);
      return;
    }
    this.#waiting.delete(seq);
    held.event = { ...held.event, ...answer } as TraceEvent;
    held.open = false;
    if (held.verdict === 'undecided') held.verdict = this.#filter.holds(held.event) ? 'kept' : 'dropped';
    this.#drain(false);
  }

  /** Lets go of what has waited for long enough. */
  tick(): void {
    this.#drain(false);
  }

  /** How long until {@link tick} has something to do, in ms. */
  get dueMs(): number | undefined {
    const first = this.#held[0];
    return first === undefined ? undefined : Math.max(0, first.sinceMs + MOST_HELD_MS - this.#nowMs());
  }

  /** Hands on what waits still; nothing may come behind it. */
  end(): void {
    this.#drain(true);
    this.#tellLost();
  }

  #take(event: TraceEvent, open: boolean, verdict: Held['verdict']): void {
    const held: Held = { event, verdict, open, sinceMs: this.#nowMs() };
    if (open) this.#waiting.set(event.seq, held);
    this.#held.push(held);
    this.#drain(false);
  }

  #drain(all: boolean): void {
    const late = this.#nowMs() - MOST_HELD_MS;
    let done = 0;
    for (const held of this.#held) {
      if (held.verdict === 'undecided') {
        if (!all && held.sinceMs > late && this.#held.length - done <= MOST_HELD) break;
        // Its answer may be one that is asked for: it is better to have it.
        held.verdict = this.#filter.asksAnswer || this.#filter.holds(held.event) ? 'kept' : 'dropped';
      }
      done++;
      this.#waiting.delete(held.event.seq);
      if (held.event.parent === undefined) this.#forgetReturned();
      if (held.verdict === 'kept') this.#write(held);
      else {
        this.#lost++;
        this.#dropped++;
      }
    }
    this.#held.splice(0, done);
  }

  #write({ event, open }: Held): void {
    const { parent, ...own } = event;
    const above = parent === undefined ? undefined : this.#numbers.get(parent);
    this.#last = event.t;
    this.#tellLost();
    const seq = this.#next();
    this.#numbers.set(event.seq, seq);
    const written = { ...own, seq, ...(above === undefined ? {} : { parent: above }) } as TraceEvent;
    if (!open) {
      this.#target.append(written);
      return;
    }
    this.#open.add(event.seq);
    this.#target.begin(written);
  }

  /** Nothing comes below what has returned once there is another stimulus. */
  #forgetReturned(): void {
    for (const seq of this.#numbers.keys()) if (!this.#open.has(seq)) this.#numbers.delete(seq);
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    this.#mark({ what: 'gap', lost: this.#lost, text: 'not matched by the filter' });
    this.#lost = 0;
  }

  #mark(mark: Pick<MarkEvent, 'what' | 'text' | 'lost'>): void {
    this.#target.append({ ...mark, kind: 'mark', seq: this.#next(), t: this.#last, provenance: 'observed' });
  }

  #next(): Seq {
    this.#written++;
    return seqOf(this.#written);
  }
}

/** The header of a trace that lacks what happened before or in between: state that nobody wrote in it is not known. */
export function midLife(header: TraceHeader): TraceHeader {
  return {
    ...header,
    profile: { ...header.profile, initial: 'unknown' },
    given: { ...header.given, initial: 'unknown' },
  };
}
