import type { StepArchive } from '../replay/derived.ts';
import { type History, lowerBound } from '../replay/history.ts';
import { returnOf } from '../replay/numbering.ts';
import type { EventSource } from '../replay/source.ts';
import type { TraceEvent } from '../trace/event.ts';
import { type Address, at } from '../trace/position.ts';

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

/** Every recorded event, and with `derived` what was derived below each. */
export function allEvents(history: History, derived: boolean): EventList {
  const n = history.events;
  if (!derived) {
    return {
      total: n,
      address: (index) => (index < n ? at(index + 1) : undefined),
      indexOf: (address) => Math.max(0, Math.min(n, address.seq) - 1),
    };
  }
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
  const bySeq = Uint32Array.from(seqs);
  return {
    total: seqs.length,
    address: (index) => (index < seqs.length ? at(seqs[index] as number, subs[index] as number) : undefined),
    indexOf: (address) => {
      let index = lowerBound(bySeq, address.seq);
      while (index < seqs.length && seqs[index] === address.seq && (subs[index] as number) <= address.sub)
        index++;
      const exact = index < seqs.length && seqs[index] === address.seq && subs[index] === address.sub;
      return Math.max(0, exact ? index : index - 1);
    },
  };
}

/** Reads events by position: recorded ones from the source, derived ones from the archive. */
export class EventReader {
  readonly #source: EventSource;
  readonly #archive: StepArchive;

  constructor(source: EventSource, archive: StepArchive) {
    this.#source = source;
    this.#archive = archive;
  }

  /** The event at a position; undefined when the trace has none there. */
  get(address: Address): Listed | undefined {
    const step = this.#archive.step(address);
    return step === undefined ? undefined : { address, parent: step.parent, event: step.event };
  }

  /** The rule that produced the engine's answer to the event at a position; of a call that of its return. */
  ruleOf(address: Address): string | undefined {
    const step = this.#archive.step(address);
    if (step === undefined || step.rule !== undefined || step.returned) return step?.rule;
    return step.event.kind === 'ioctl' || step.event.kind === 'fd'
      ? this.#archive.step(returnOf(step.event.seq))?.rule
      : undefined;
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
        const { parent } = step.value;
        yield { address, parent: parent === undefined ? undefined : at(parent), event: step.value };
      }
    } finally {
      events?.return?.();
    }
  }
}
