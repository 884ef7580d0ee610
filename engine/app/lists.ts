import { ruleOfStep } from '../drivers/lifecycle-rules.ts';
import { ruleOfPage } from '../hypervisor/memory/note-page.ts';
import { ruleOfMessage } from '../hypervisor/synic/note-rules.ts';
import type { StepArchive } from '../replay/derived.ts';
import { type History, lowerBound } from '../replay/history.ts';
import { returnOf } from '../replay/numbering.ts';
import type { EventSource } from '../replay/source.ts';
import type { Step } from '../replay/step.ts';
import type { TraceEvent } from '../trace/event.ts';
import { type Address, at } from '../trace/position.ts';
import { NotYet } from './session-parts.ts';

/** An event with its place, as a list shows it. */
export interface Listed {
  readonly address: Address;
  readonly parent: Address | undefined;
  readonly event: TraceEvent;
}

/** A list of positions: all events, or those that match a filter; with or without derived ones. */
export interface EventList {
  readonly total: number;
  address(index: number): Address | undefined;
  /** Index of a position, or of the nearest before it (0 where there is none). */
  indexOf(address: Address): number;
}

/** The `count` recorded events of a trace. */
export function recordedEvents(count: number): EventList {
  return {
    total: count,
    address: (index) => (index < count ? at(index + 1) : undefined),
    indexOf: (address) => Math.max(0, Math.min(count, address.seq) - 1),
  };
}

/** Every recorded event, and with `derived` what was derived below each. */
export function allEvents(history: History, derived: boolean): EventList {
  const n = history.events;
  if (!derived) return recordedEvents(n);
  // starts[seq] is the index of event `seq`; the events derived below it follow.
  const starts = new Uint32Array(n + 2);
  for (let seq = 1; seq <= n; seq++)
    starts[seq + 1] = (starts[seq] as number) + 1 + history.derivedBelow(seq);
  const total = starts[n + 1] as number;
  return {
    total,
    address: (index) => {
      if (index >= total) return undefined;
      const seq = lowerBound(starts.subarray(1), index + 1);
      return at(seq, index - (starts[seq] as number));
    },
    indexOf: (address) => {
      const seq = Math.max(1, Math.min(n, address.seq));
      const below = Math.min(address.sub, history.derivedBelow(seq));
      return Math.max(0, Math.min(total - 1, (starts[seq] as number) + below));
    },
  };
}

/** The members of a list for which `holds`; computed at once and kept by the caller. */
export function matching(
  reader: EventReader,
  list: EventList,
  holds: (listed: Listed) => boolean,
): EventList {
  const seqs: number[] = [];
  const subs: number[] = [];
  for (const listed of reader.each(list, 0, list.total)) {
    if (!holds(listed)) continue;
    seqs.push(listed.address.seq);
    subs.push(listed.address.sub);
  }
  return listOf(Uint32Array.from(seqs), subs);
}

/** A list of positions in order; without `subs`, of recorded events. */
export function listOf(bySeq: Uint32Array, subs?: readonly number[]): EventList {
  const total = bySeq.length;
  const subAt = (index: number): number => subs?.[index] ?? 0;
  return {
    total,
    address: (index) => (index < total ? at(bySeq[index] as number, subAt(index)) : undefined),
    indexOf: (address) => {
      let index = lowerBound(bySeq, address.seq);
      while (index < total && bySeq[index] === address.seq && subAt(index) <= address.sub) index++;
      const exact = index < total && bySeq[index] === address.seq && subAt(index) === address.sub;
      return Math.max(0, exact ? index : index - 1);
    },
  };
}

/** Reads events by position: recorded ones from the source, derived ones from the archive. */
export class EventReader {
  readonly #source: EventSource;
  readonly #archive: StepArchive | undefined;

  /** Without an archive, before the trace is replayed, only recorded events can be had. */
  constructor(source: EventSource, archive?: StepArchive) {
    this.#source = source;
    this.#archive = archive;
  }

  /** The event at a position; undefined when the trace has none there. */
  get(address: Address): Listed | undefined {
    if (this.#archive === undefined) return this.#recorded(address);
    const step = this.#archive.step(address);
    return step === undefined ? undefined : { address, parent: step.parent, event: step.event };
  }

  /** The step at a position, once the trace is replayed. */
  step(address: Address): Step | undefined {
    return this.#archive?.step(address);
  }

  #recorded(address: Address): Listed | undefined {
    const { seq, sub } = address;
    if (sub !== 0) throw new NotYet();
    if (seq < 1) return undefined;
    for (const event of this.#source.range(seq, seq)) return listed(event);
    return undefined;
  }

  /**
   * The rule behind the event at a position: of an access or a call that of its answer, of an ioctl that of its return, else the one
   * by which it happens, or that of what led to it.
   */
  ruleOf(address: Address): string | undefined {
    const step = this.#archive?.step(address);
    if (step === undefined || step.rule !== undefined || step.returned) return step?.rule;
    const { event, parent } = step;
    const own = this.#standing(event) ?? this.#archive?.step(returnOf(event.seq))?.rule;
    return own ?? (parent === undefined ? undefined : this.ruleOf(parent));
  }

  /** The rule of an event that is no answer. */
  #standing(event: TraceEvent): string | undefined {
    if (event.kind === 'message') return ruleOfMessage(event);
    if (event.kind === 'page') return ruleOfPage(event);
    return event.kind === 'lifecycle' ? ruleOfStep(event, this.#source.header.profile) : undefined;
  }

  /** Members `from` to `to - 1` of a list, in order. */
  *each(list: EventList, from: number, to: number): Iterable<Listed> {
    let events: Iterator<TraceEvent> | undefined;
    let next = 0;
    try {
      for (let index = from; index < Math.min(to, list.total); index++) {
        const address = list.address(index);
        if (address === undefined) return;
        if (address.sub !== 0) {
          const derived = this.get(address);
          if (derived !== undefined) yield derived;
          continue;
        }
        if (events === undefined || next !== address.seq) {
          events?.return?.();
          events = this.#source.range(address.seq, this.#source.count)[Symbol.iterator]();
        }
        const step = events.next();
        if (step.done) return;
        next = address.seq + 1;
        yield listed(step.value);
      }
    } finally {
      events?.return?.();
    }
  }
}

function listed(event: TraceEvent): Listed {
  const { seq, parent } = event;
  return { address: at(seq), parent: parent === undefined ? undefined : at(parent), event };
}
