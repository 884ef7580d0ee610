import type { Seq } from '../../../engine/trace/position.ts';
import type { Emitter } from '../../sources/emitter.ts';
import type { KernelItem } from './decoder.ts';
import { KernelEmitter } from './emit.ts';
import { Processes } from './processes.ts';
import type { KernelRecorded } from './record.ts';
import type { KernelSource } from './source.ts';

/** Where the kernel's events come from. */
export type Source = Pick<KernelSource, 'lacks' | 'start' | 'drainTo' | 'stop' | 'overrun'>;

/** What somebody else has seen, at a time of the same clock. */
interface Held<T> {
  readonly t: number;
  readonly value: T;
}

/**
 * The kernel's own events, put between what ptrace sees of a program by time. Both clocks are CLOCK_MONOTONIC (trace_clock `mono`, Linux
 * Documentation/trace/ftrace.rst). A call's entry is stamped while its thread stands before it, its return once it stands behind it, so what
 * that thread does in the kernel lies between them for certain; the stamps are later than the call itself by what it takes to wake the
 * tracer, some microseconds.
 */
export class KernelBeside<T> {
  readonly #source: Source;
  readonly #emitter: Emitter;
  readonly #kernel: KernelEmitter;
  readonly #origin: number;
  readonly #take: (value: T) => void;
  #held: Held<T>[] = [];
  /** Calls that have not returned by the moment that is emitted, by thread. */
  readonly calls = new Map<number, Seq>();

  /** `origin` is time 0 of the trace on that clock, in ns; `take` is given what was held when its turn has come. */
  constructor(source: Source, emitter: Emitter, origin: number, take: (value: T) => void) {
    this.#source = source;
    this.#emitter = emitter;
    this.#origin = origin;
    this.#take = take;
    this.#kernel = new KernelEmitter(emitter, new Processes(), origin, (tid) => this.calls.get(tid));
  }

  /** Notes what this kernel lacks and begins. */
  start(): void {
    for (const line of this.#source.lacks) this.#emitter.note(`this kernel lacks ${line}`, 0);
    this.#source.start();
  }

  /** Something that was seen at `t` ns of the trace; they come in the order of their times. */
  hold(t: number, value: T): void {
    this.#held.push({ t, value });
  }

  /** Hands on all whose order is certain by now. */
  advance(): void {
    const { items, before } = this.#source.drainTo();
    this.#merge(items, before - this.#origin);
  }

  /** Ends it: everything that is left. */
  finish(): KernelRecorded {
    this.#merge(this.#source.stop(), Number.POSITIVE_INFINITY);
    this.#kernel.end();
    return { ...this.#kernel.emitted, lacks: this.#source.lacks, overrun: this.#source.overrun() };
  }

  #merge(items: readonly KernelItem[], before: number): void {
    const held = this.#held;
    let next = 0;
    const giveUpTo = (t: number): void => {
      for (; next < held.length && (held[next] as Held<T>).t <= t; next++)
        this.#take((held[next] as Held<T>).value);
    };
    for (const item of items) {
      giveUpTo(item.t - this.#origin);
      this.#kernel.add(item);
    }
    giveUpTo(before);
    this.#held = held.slice(next);
  }
}
