import { ioctlNamed } from '../../engine/abi/index.ts';
import type { Checkpoint } from '../../engine/replay/history.ts';
import { renumbered } from '../../engine/replay/start.ts';
import type { StoreTables } from '../../engine/state/checkpoint.ts';
import { DIALECTS, type TraceEvent } from '../../engine/trace/event.ts';
import { type Seq, seqOf, timeNs } from '../../engine/trace/position.ts';
import type { CallAnswer, TraceWriter } from '../store/index.ts';
import type { EventSink } from './event-sink.ts';
import type { RingLimit } from './ring-limit.ts';

/** An event in memory without its payloads: its row, its place, the references to it. */
const EVENT_BYTES = 400;
/** A stretch without a rest of the machine is given up in parts: then the trace starts without a state. */
const MOST_IN_STRETCH = 1 << 20;

/** Events from one rest of the machine to the next. */
interface Stretch {
  /** The state before its first event; undefined where the machine had no rest then. */
  readonly from: { readonly checkpoint: Checkpoint; readonly tables: StoreTables } | undefined;
  /** Calls that were under way then, with their answers once they have one. */
  readonly under: Map<Seq, TraceEvent>;
  readonly events: TraceEvent[];
  readonly firstSeq: number;
  bytes: number;
}

const RUNS: ReadonlySet<number> = new Set(
  DIALECTS.flatMap((dialect) => ioctlNamed(dialect, 'vp', 'RUN_VP')?.number ?? []),
);

/** Where what a flight recorder holds is written beside its file, the n-th time. */
export function copyPath(path: string, number: number): string {
  return path.replace(/(\.hvtrace)?$/, `-${number}$1`);
}

/** A call that waits for a guest. */
export function isWait(event: TraceEvent): boolean {
  return event.kind === 'ioctl' && RUNS.has(event.op);
}

/**
 * Keeps the last events in memory, with the machine's state before the first of them: at least as many as the limit
 * says where there were so many, and at most a stretch more.
 */
export class Ring implements EventSink {
  readonly #limit: RingLimit;
  readonly #stretches: Stretch[] = [newStretch(1)];
  /** Entries of calls that have not returned, wherever they stand. */
  readonly #open = new Map<Seq, TraceEvent>();
  #count = 0;
  #bytes = 0;
  #last = 0;
  /** Events that are not in memory any more. */
  #gone = 0;
  #next = 1;

  constructor(limit: RingLimit) {
    this.#limit = limit;
  }

  /** Events that it has let go. */
  get gone(): number {
    return this.#gone;
  }

  /** Calls have not returned. */
  get isUnderWay(): boolean {
    return this.#open.size > 0;
  }

  append(event: TraceEvent): void {
    let stretch = this.#stretches.at(-1) as Stretch;
    if (stretch.events.length >= MOST_IN_STRETCH) stretch = this.#begin(newStretch(this.#next));
    stretch.events.push(event);
    stretch.bytes += bytesOf(event);
    this.#bytes += bytesOf(event);
    this.#count++;
    this.#next = event.seq + 1;
    this.#last = event.t;
    this.#trim();
  }

  begin(event: TraceEvent): void {
    this.#open.set(event.seq, event);
    this.append(event);
  }

  complete(seq: Seq, answer: CallAnswer): void {
    const entry = this.#open.get(seq);
    if (entry === undefined) return;
    this.#open.delete(seq);
    const event = { ...entry, ...answer } as TraceEvent;
    const more = bytesOf(event) - bytesOf(entry);
    for (const stretch of this.#stretches) {
      if (stretch.under.has(seq)) stretch.under.set(seq, event);
      const place = seq - stretch.firstSeq;
      if (stretch.events[place] === undefined) continue;
      stretch.events[place] = event;
      stretch.bytes += more;
      this.#bytes += more;
    }
  }

  /**
   * The machine rests. A call under way may be a wait for a guest: others (passed through, making something) have left their
   * numbers in the state, which a trace that numbers anew cannot keep.
   */
  rest(checkpoint: Checkpoint, tables: StoreTables): void {
    if (!this.#isWorthAStretch()) return;
    const under = new Map<Seq, TraceEvent>();
    for (const { seq } of checkpoint.open) {
      const event = this.#open.get(seq);
      if (event === undefined || !isWait(event)) return;
      under.set(seq, event);
    }
    this.#begin({ ...newStretch(this.#next), from: { checkpoint, tables }, under });
    this.#trim();
  }

  /** What it holds, oldest first. */
  *events(): Iterable<TraceEvent> {
    for (const { events } of this.#stretches) yield* events;
  }

  /** Writes what it holds, numbered from 1, and `more` behind it; the ring goes on. */
  writeTo(writer: TraceWriter, more: readonly TraceEvent[] = []): void {
    const [first] = this.#stretches;
    if (first === undefined) return;
    const numbers = new Map<Seq, Seq>();
    const put = (event: TraceEvent): void => {
      const seq = seqOf(writer.events + 1);
      numbers.set(event.seq, seq);
      const { parent, ...own } = event;
      const above = parent === undefined ? undefined : numbers.get(parent);
      writer.append({ ...own, seq, ...(above === undefined ? {} : { parent: above }) } as TraceEvent);
    };
    if (first.from !== undefined) {
      const { checkpoint, tables } = first.from;
      for (const event of first.under.values()) put(event);
      const open = checkpoint.open.map((call) => ({ ...call, seq: numbers.get(call.seq) as Seq }));
      writer.origin({ store: renumbered(checkpoint.store, tables), tables, open });
    }
    for (const event of this.events()) put(event);
    for (const event of more) put(event);
    if (this.#gone > 0)
      writer.gap({
        after: 0 as Seq,
        t: timeNs(0),
        lost: this.#gone,
        reason: 'before the flight recorder',
      });
  }

  #begin(stretch: Stretch): Stretch {
    this.#stretches.push(stretch);
    return stretch;
  }

  /** A stretch is an eighth of what is kept: states are large. */
  #isWorthAStretch(): boolean {
    const { kind, most } = this.#limit;
    const { events, bytes } = this.#stretches.at(-1) as Stretch;
    const [first] = events;
    if (first === undefined) return false;
    const held = { events: events.length, bytes, ns: this.#last - first.t };
    return held[kind] >= most / 8;
  }

  /** Lets go of the oldest stretch where the others are enough. */
  #trim(): void {
    const { kind, most } = this.#limit;
    for (;;) {
      const [first, second] = this.#stretches;
      if (first === undefined || second === undefined) return;
      const left = {
        events: this.#count - first.events.length,
        bytes: this.#bytes - first.bytes,
        ns: this.#last - (second.events[0]?.t ?? this.#last),
      };
      if (left[kind] < most) return;
      this.#stretches.shift();
      this.#count -= first.events.length;
      this.#bytes -= first.bytes;
      this.#gone += first.events.length;
    }
  }
}

function newStretch(firstSeq: number): Stretch {
  return { from: undefined, under: new Map(), events: [], firstSeq, bytes: 0 };
}

/** About what an event takes in memory. */
function bytesOf(event: TraceEvent): number {
  let bytes = EVENT_BYTES;
  for (const value of Object.values(event)) if (value instanceof Uint8Array) bytes += value.length;
  if (event.kind === 'ioctl') bytes += (event.in?.length ?? 0) + (event.out?.data?.length ?? 0);
  return bytes;
}
