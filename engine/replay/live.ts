import { Machine, type Sides } from '../machine/machine.ts';
import type { EventKind, IoctlEvent, IoctlOut, TraceEvent } from '../trace/event.ts';
import { type Seq, seqOf, type TimeNs, timeNs } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import { NOTHING_AHEAD } from './ahead.ts';
import type { PlaySink } from './play.ts';
import { CHECKPOINT_EVENTS } from './replay.ts';
import { Replayer } from './replayer.ts';
import type { Step } from './step.ts';

/** An event as whoever emulates hands it in: the machine numbers it. */
export type LiveEvent = TraceEvent extends infer E
  ? E extends TraceEvent
    ? Omit<E, 'seq' | 'parent'>
    : never
  : never;

/** A call that has returned: what the caller gets. */
export interface LiveReturn {
  readonly seq: Seq;
  readonly ret: number;
  readonly out?: IoctlOut;
}

/** What became of an event that was handed in. */
export interface LiveResult {
  readonly seq: Seq;
  /** The event with its answers. */
  readonly event: TraceEvent;
  /** Calls that have returned by now, in order: this one if it is a call that did not wait, and those it woke. */
  readonly returned: readonly LiveReturn[];
}

/**
 * The engine as a device: stimuli come in as they happen, answers go out, everything is handed to the sink as
 * events to be recorded. The same code replays the recording.
 */
export class LiveMachine {
  readonly machine: Machine;
  readonly #replayer: Replayer;
  readonly #sink: PlaySink;
  #steps = 0;
  #saved = 0;
  #time = 0;
  #first: Step | undefined;
  #returned: LiveReturn[] = [];

  readonly #checkpointEvents: number;

  /**
   * `deliver` gives a caller what its call came to, before it returns; false where its memory does not take it. A checkpoint
   * is handed over at the first rest after `checkpointEvents`.
   */
  constructor(
    profile: Profile,
    sides: Sides,
    sink: PlaySink,
    deliver?: (call: IoctlEvent) => boolean,
    checkpointEvents = CHECKPOINT_EVENTS,
  ) {
    this.#checkpointEvents = checkpointEvents;
    this.machine = Machine.initial(profile, sides, sink.journal);
    this.#sink = sink;
    this.#replayer = new Replayer({
      machine: this.machine,
      numbering: 'record',
      childKinds: new Set<EventKind>(),
      observe: (step) => this.#observe(step),
      ...(deliver === undefined ? {} : { deliver }),
    });
  }

  /** Takes an event in; its time must not be before that of the event before (it is put there if it is). */
  feed(event: LiveEvent): LiveResult {
    this.#first = undefined;
    this.#returned = [];
    this.#checkpoint();
    const t = timeNs(Math.max(event.t, this.#time));
    // The number that it is going to have: then it is copied once.
    this.#replayer.feed({ ...event, t, seq: seqOf(this.#steps + 1) } as TraceEvent, NOTHING_AHEAD);
    const first = this.#first as Step | undefined;
    if (first === undefined) throw new Error('an event that was fed left no step');
    return { seq: first.event.seq, event: first.event, returned: this.#returned };
  }

  /** A signal ends the wait of a call; it may still return something else than -EINTR. */
  interrupt(seq: Seq, t: TimeNs): readonly LiveReturn[] {
    this.#returned = [];
    // What returns at the time of an event stands before it, and this one comes after the last.
    this.#time = Math.max(t, this.#time + 1);
    this.#replayer.interrupt(seq, timeNs(this.#time));
    return this.#returned;
  }

  /** Ends the recording: a last checkpoint and the hash of the journal. Open calls stay open. */
  finish(): string {
    this.machine.store.flush();
    this.#sink.checkpoint(
      { nextSeq: this.#steps + 1, store: this.machine.store.checkpoint(), open: this.#replayer.openCalls() },
      this.machine,
    );
    return this.machine.store.hash();
  }

  #observe(step: Step): void {
    if (step.returned) {
      const { event } = step;
      if ((event.kind === 'ioctl' || event.kind === 'fd') && typeof event.ret === 'number') {
        const { seq, ret } = event;
        const out = event.kind === 'ioctl' ? event.out : undefined;
        this.#returned.push(out === undefined ? { seq, ret } : { seq, ret, out });
      }
    } else {
      this.#steps++;
      this.#first ??= step;
      this.#time = Math.max(this.#time, step.event.t);
    }
    this.#sink.step(step, this.machine);
  }

  #checkpoint(): void {
    if (this.#steps - this.#saved < this.#checkpointEvents || !this.#replayer.atRest) return;
    this.#saved = this.#steps;
    const store = this.machine.store.checkpoint();
    this.#sink.checkpoint(
      { nextSeq: this.#steps + 1, store, open: this.#replayer.openCalls() },
      this.machine,
    );
  }
}
