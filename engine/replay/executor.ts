import type { ShownCall } from '../machine/child.ts';
import type { Machine } from '../machine/machine.ts';
import type { FdEvent, IoctlEvent, TraceEvent } from '../trace/event.ts';
import { type Address, at, type TimeNs } from '../trace/position.ts';
import type { Verdict } from './compare.ts';
import type { Frame } from './frame.ts';
import { type Numbering, returnOf } from './numbering.ts';
import { completedCall, type Deliver, deliveredCall } from './outcome.ts';
import { type Performed, perform } from './perform.ts';
import type { ReplayerOptions } from './replayer-options.ts';
import type { StepObserver } from './step.ts';
import { componentOf, ruleOf } from './stimulus.ts';

/** Executes events, in whose name the store is written, and tells the observer of each. */
export class Executor {
  readonly #machine: Machine;
  readonly #numbering: Numbering;
  readonly #observe: StepObserver | undefined;
  readonly #deliver: Deliver | undefined;

  constructor({ machine, numbering, observe, deliver }: ReplayerOptions) {
    this.#machine = machine;
    this.#numbering = numbering;
    this.#observe = observe;
    this.#deliver = deliver;
  }

  /** A call that is over, as its caller sees it. */
  completed(frame: Frame, call: IoctlEvent | FdEvent, end: TimeNs): TraceEvent {
    return deliveredCall(completedCall(call, frame.outcome, end, this.#deliver !== undefined), this.#deliver);
  }

  /** Has the hypervisor's side answer an event; without a verdict it is the engine's own, and derived. */
  execute(
    given: TraceEvent,
    address: Address,
    parent: Address | undefined,
    verdict: Verdict | undefined,
    shown?: ShownCall,
  ): Performed {
    const { store } = this.#machine;
    const from = store.entries;
    store.writer(address, componentOf(given));
    const performed = perform(this.#machine, given, address, verdict, shown);
    if (this.#observe === undefined) return performed;
    const derived = verdict === undefined && this.#numbering === 'derive';
    const event = performed.completed;
    const rule = ruleOf(performed.answer);
    const to = store.entries;
    this.#observe({ address, event, parent, derived, returned: false, from, to, rule });
    return performed;
  }

  /** A stimulus that the hypervisor does not answer; `effects` is what comes of it at once. */
  happened({ stimulus: event, handler }: Frame, effects: () => void): void {
    const { store } = this.#machine;
    const address = at(event.seq);
    const from = store.entries;
    store.writer(address, componentOf(event));
    if (event.kind === 'message') this.#machine.note(event);
    if (event.kind === 'page') this.#machine.page(event);
    effects();
    if (this.#observe === undefined) return;
    const rule = event.kind === 'lifecycle' && handler === undefined ? 'unmodelled' : undefined;
    const step = { address, event, parent: undefined, derived: false, returned: false, rule };
    this.#observe({ ...step, from, to: store.entries });
  }

  /** A call is about to return. */
  leaving(frame: Frame): void {
    const { store } = this.#machine;
    frame.leaveFrom = store.entries;
    frame.leaveSub = frame.sub;
    store.writer(returnOf(frame.completed.seq), componentOf(frame.completed));
  }

  /** It has, and all that comes of it is done. */
  returned({ completed: event, leaveFrom: from, sub, leaveSub, outcome }: Frame): void {
    if (this.#observe === undefined) return;
    const step = { address: returnOf(event.seq), event, parent: undefined, derived: false, returned: true };
    const firstSub = sub > leaveSub ? { firstSub: leaveSub + 1 } : {};
    this.#observe({ ...step, from, to: this.#machine.store.entries, rule: outcome?.rule, ...firstSub });
  }
}
