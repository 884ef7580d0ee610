import type { History } from '../../replay/history.ts';
import type { EventSource } from '../../replay/source.ts';
import type { TraceEvent } from '../../trace/event.ts';
import { type Address, at, formatAddress, RETURN_SUB } from '../../trace/position.ts';
import type { DeedView } from '../api-machine.ts';
import type { EventReader } from '../lists.ts';
import { opOf } from '../names.ts';

/** Causes are looked for so far up; drivers nest two or three deep. */
const MAX_DEPTH = 16;

/** Which event made a change, and what that event was part of. Answers are kept: the same few are asked for often. */
export class Deeds {
  readonly #source: EventSource;
  readonly #reader: EventReader;
  readonly #known = new Map<string, DeedView>();

  constructor(source: EventSource, reader: EventReader) {
    this.#source = source;
    this.#reader = reader;
  }

  /** The deed of a journal entry. */
  ofEntry(history: History, entry: number): DeedView {
    const write = history.write(entry);
    return this.of(write.at, write.component);
  }

  /** What happened at a position. */
  of(address: Address, component: string): DeedView {
    const text = formatAddress(address);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const deed = this.#deed(address, text, component);
    this.#known.set(text, deed);
    return deed;
  }

  #deed(address: Address, text: string, component: string): DeedView {
    if (address.seq === 0) {
      return { at: text, tNs: 0, component, op: 'initial state', causeAt: text, cause: 'initial state' };
    }
    const found = this.#listed(address);
    let top = found;
    for (let depth = 0; top.parent !== undefined && depth < MAX_DEPTH; depth++)
      top = this.#listed(top.parent);
    const { profile } = this.#source.header;
    return {
      at: text,
      tNs: found.event.t,
      component,
      op: opOf(found.event, profile),
      causeAt: formatAddress(top.address),
      cause: opOf(top.event, profile),
    };
  }

  #listed(address: Address): { address: Address; parent: Address | undefined; event: TraceEvent } {
    // Derived events must be worked out again; a recorded one (and its return) is read from the trace.
    const isDerived = address.sub > 0 && address.sub !== RETURN_SUB;
    const derived = isDerived ? this.#reader.get(address) : undefined;
    if (derived !== undefined && derived.address.sub > 0 && derived.parent !== undefined) return derived;
    for (const event of this.#source.range(address.seq, address.seq)) {
      const parent = event.parent === undefined ? undefined : at(event.parent);
      return { address: at(address.seq), parent, event };
    }
    throw new Error(`the trace has no event ${address.seq}`);
  }
}
