import type { JournalSink } from '../state/journal.ts';
import { CellStore, type StoreCheckpoint, type StoreTables } from '../state/store.ts';
import type { HypercallEvent, InterceptEvent, MessageEvent, MsrEvent } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';
import { BINDABLE, type BindReason } from './bindable.ts';
import type { HypercallAnswer, HypercallRequest, InterceptAnswer, MsrAnswer, MsrRequest } from './child.ts';
import type { Context } from './context.ts';
import type { DriverSide, DriverStimulus, Handler, HypervisorSide } from './sides.ts';

/** The two sides of a machine; they hold no state, so one pair serves any number of machines. */
export interface Sides {
  readonly hypervisor: HypervisorSide;
  readonly drivers: DriverSide;
}

/** How often a value was taken from the record, by reason. */
export type BoundCounts = { [R in BindReason]?: number };

/** A store with both sides of the hypervisor on it: everything that answers, nothing that knows of a trace. */
export class Machine implements Context {
  readonly store: CellStore;
  readonly profile: Profile;
  readonly bound: BoundCounts = {};
  readonly #sides: Sides;

  private constructor(profile: Profile, sides: Sides, store: CellStore) {
    this.profile = profile;
    this.store = store;
    this.#sides = sides;
  }

  /** A machine as it stands before the first event. */
  static initial(profile: Profile, sides: Sides, sink?: JournalSink): Machine {
    const machine = new Machine(profile, sides, new CellStore(sink));
    sides.hypervisor.initialise(machine);
    sides.drivers.initialise(machine);
    return machine;
  }

  /** A machine that continues from a checkpoint. */
  static restored(
    profile: Profile,
    sides: Sides,
    checkpoint: StoreCheckpoint,
    tables: StoreTables,
    sink?: JournalSink,
  ): Machine {
    return new Machine(profile, sides, CellStore.restore(checkpoint, tables, sink));
  }

  /** Bound outputs of hypercalls so far: while one is answered, tells whether its output was bound. */
  get boundOutputs(): number {
    const { bound } = this;
    return (bound['partition-id'] ?? 0) + (bound['withdrawn-frames'] ?? 0) + (bound['hypervisor-page'] ?? 0);
  }

  bind(reason: BindReason, recorded: bigint | undefined, own: bigint): bigint {
    if (recorded === undefined) return own;
    this.countBound(reason);
    return recorded;
  }

  countBound(reason: BindReason): void {
    if (BINDABLE[reason] === undefined) throw new Error(`not in the list of bindable outputs: ${reason}`);
    this.bound[reason] = (this.bound[reason] ?? 0) + 1;
  }

  msr(access: MsrRequest | MsrEvent): MsrAnswer {
    return this.#sides.hypervisor.msr(this, access);
  }

  hypercall(call: HypercallRequest | HypercallEvent): HypercallAnswer {
    const { hypervisor, drivers } = this.#sides;
    const answer = hypervisor.hypercall(this, call);
    drivers.called(this, call, answer);
    return answer;
  }

  intercept(event: InterceptEvent): InterceptAnswer {
    return this.#sides.hypervisor.intercept(this, event);
  }

  note(event: MessageEvent): void {
    this.#sides.hypervisor.note(this, event);
    this.#sides.drivers.noted(this, event);
  }

  handler(event: DriverStimulus): Handler | undefined {
    if (this.profile.kernel === 'unknown') return undefined;
    return this.#sides.drivers.handler(this, event);
  }
}
