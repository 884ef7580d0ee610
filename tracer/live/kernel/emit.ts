import type { Component } from '../../../engine/trace/event.ts';
import type { Seq } from '../../../engine/trace/position.ts';
import type { Emitter, EventBody } from '../../sources/emitter.ts';
import type { Told } from '../../sources/kernel/told.ts';
import type { KernelItem, ToldItem } from './decoder.ts';
import type { Processes } from './processes.ts';
import { SeenTwice } from './seen-twice.ts';
import { WritesUnseen } from './writes-unseen.ts';

/** What became of the items. */
export interface Emitted {
  readonly events: number;
  readonly lost: number;
  readonly badBytes: number;
  /** Returns of calls whose entry was not seen. */
  readonly orphans: number;
}

/** Puts what the kernel said into a trace. */
export class KernelEmitter {
  readonly #emitter: Emitter;
  readonly #processes: Pick<Processes, 'of'>;
  /** On the clock of the kernel's buffers, in ns: time 0 of the trace. */
  readonly #origin: number;
  readonly #callOf: (tid: number) => Seq | undefined;
  readonly #open = new Map<string, Seq[]>();
  readonly #unseen = new WritesUnseen();
  readonly #twice = new SeenTwice();
  #events = 0;
  #lost = 0;
  #badBytes = 0;
  #orphans = 0;

  /** `callOf` gives the recorded call that a thread is in, where calls are recorded beside. */
  constructor(
    emitter: Emitter,
    processes: Pick<Processes, 'of'>,
    origin: number,
    callOf: (tid: number) => Seq | undefined = () => undefined,
  ) {
    this.#emitter = emitter;
    this.#processes = processes;
    this.#origin = origin;
    this.#callOf = callOf;
  }

  get emitted(): Emitted {
    return { events: this.#events, lost: this.#lost, badBytes: this.#badBytes, orphans: this.#orphans };
  }

  add(item: KernelItem): void {
    const t = Math.max(0, item.t - this.#origin);
    if (item.kind === 'told') {
      this.#told(item, t);
      return;
    }
    const where = { cpu: item.cpu };
    if (item.kind === 'bad') {
      this.#badBytes += item.bytes;
      this.#mark(
        { ...where, kind: 'mark', what: 'gap', text: `${item.bytes} bytes of the buffer are no record` },
        t,
      );
      return;
    }
    this.#lost += item.lost ?? 0;
    const lost = item.lost === undefined ? {} : { lost: item.lost };
    this.#mark(
      { ...where, kind: 'mark', what: 'gap', ...lost, text: 'lost in the kernel: its buffer was full' },
      t,
    );
  }

  /** After the last item: says what the whole showed. */
  end(): void {
    this.#warn(this.#unseen.end(), this.#emitter.now);
  }

  #told({ told, cpu, tid, isAside, component }: ToldItem, t: number): void {
    if (told.kind === 'return') {
      const key = `${told.call} ${tid}`;
      const seq = this.#open.get(key)?.pop();
      if (seq === undefined) this.#orphans += 1;
      else this.#emitter.answer(seq, told.answer, t);
      return;
    }
    const call = isAside ? undefined : this.#callOf(tid);
    const body = {
      ...this.#body(told, cpu, tid, component),
      ...(call === undefined ? {} : { parent: call }),
    };
    if (told.kind === 'event' && this.#twice.isSecond(told, body, tid, t)) return;
    if (body.kind === 'msr') this.#warn(this.#unseen.msr(body, cpu), t);
    this.#events += 1;
    if (told.kind === 'event') {
      this.#emitter.add(body, t);
      return;
    }
    const key = `${told.call} ${tid}`;
    const stack = this.#open.get(key);
    const seq = this.#emitter.begin(body, t);
    if (stack === undefined) this.#open.set(key, [seq]);
    else stack.push(seq);
  }

  #body(
    told: Exclude<Told, { kind: 'return' }>,
    cpu: number,
    tid: number,
    component: Component | undefined,
  ): EventBody {
    const { pid, name } = this.#processes.of(tid);
    return {
      cpu,
      tid,
      ...(pid === undefined ? {} : { pid }),
      ...(name === undefined ? {} : { note: name }),
      ...(component === undefined ? {} : { component }),
      ...told.body,
    };
  }

  #mark(body: EventBody, t: number): void {
    this.#events += 1;
    this.#emitter.add(body, t);
  }

  #warn(text: string | undefined, t: number): void {
    if (text !== undefined) this.#mark({ kind: 'mark', what: 'gap', text }, t);
  }
}
