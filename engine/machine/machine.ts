import type { StoreCheckpoint, StoreTables } from '../state/checkpoint.ts';
import type { JournalSink } from '../state/journal.ts';
import { CellStore } from '../state/store.ts';
import type {
  HypercallEvent,
  InterceptEvent,
  IoctlEvent,
  MessageEvent,
  MsrEvent,
  PageEvent,
  TraceEvent,
} from '../trace/event.ts';
import type { Handle } from '../trace/handle.ts';
import type { Seq } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import { BINDABLE, type BindReason } from './bindable.ts';
import type { HypercallAnswer, HypercallRequest, InterceptAnswer, MsrAnswer, MsrRequest } from './child.ts';
import type { Context } from './context.ts';
import type { DriverSide, DriverStimulus, Handler, HypervisorSide } from './sides.ts';
import { UNMODELLED } from './unmodelled.ts';

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
  /** The record that is replayed, as far as it can be seen from where the replay stands. */
  ahead: { find(test: (event: TraceEvent) => boolean): TraceEvent | undefined } | undefined;
  /** What gives the calls that wait: a machine alone has none. */
  calls: (() => Iterable<IoctlEvent>) | undefined;
  readonly #sides: Sides;

  private constructor(profile: Profile, sides: Sides, store: CellStore) {
    this.profile = profile;
    this.store = store;
    this.#sides = sides;
  }

  /** A machine as it stands before the first event. */
  static initial(profile: Profile, sides: Sides, sink?: JournalSink): Machine {
    const machine = new Machine(profile, sides, new CellStore(sink, profile.initial === 'unknown'));
    sides.hypervisor.initialise(machine);
    sides.drivers.initialise(machine);
    return machine;
  }

  /** A machine that continues from a checkpoint; `read` hears which cell is read. */
  static restored(
    profile: Profile,
    sides: Sides,
    checkpoint: StoreCheckpoint,
    tables: StoreTables,
    sink?: JournalSink,
    read?: (cell: number) => void,
  ): Machine {
    const midLife = profile.initial === 'unknown';
    return new Machine(profile, sides, CellStore.restore(checkpoint, tables, sink, midLife, read));
  }

  /** Bound outputs of hypercalls so far: while one is answered, tells whether its output was bound. */
  get boundOutputs(): number {
    const { bound } = this;
    const counts = [
      ...[bound['partition-id'], bound['withdrawn-frames'], bound['hypervisor-page']],
      bound['pool-balance'],
    ];
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  }

  nextBelow(call: Seq): TraceEvent | undefined {
    return this.ahead?.find(({ parent }) => parent === call);
  }

  waiting(): Iterable<IoctlEvent> {
    return this.calls?.() ?? [];
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
    const { doubts } = this.store;
    const answer = this.#sides.hypervisor.msr(this, access);
    return this.store.doubts === doubts ? answer : inDoubt(answer);
  }

  hypercall(call: HypercallRequest | HypercallEvent): HypercallAnswer {
    const { hypervisor, drivers } = this.#sides;
    const { doubts } = this.store;
    const own = hypervisor.hypercall(this, call);
    const answer = this.store.doubts === doubts ? own : inDoubt(own);
    drivers.called(this, call, answer);
    return answer;
  }

  intercept(event: InterceptEvent): InterceptAnswer {
    const { doubts } = this.store;
    const answer = this.#sides.hypervisor.intercept(this, event);
    return this.store.doubts === doubts ? answer : inDoubt(answer);
  }

  note(event: MessageEvent): void {
    this.#sides.hypervisor.note(this, event);
    this.#sides.drivers.noted(this, event);
  }

  /** A recorded hypercall below a stimulus whose driver did not ask for it. */
  followed(call: HypercallEvent): void {
    this.#sides.drivers.followed(this, call);
  }

  /** What a descriptor of a process stands for, as far as the trace has shown. */
  file(pid: number | undefined, fd: number | undefined): Handle | undefined {
    return this.#sides.drivers.file(this, pid, fd);
  }

  page(event: PageEvent): void {
    this.#sides.hypervisor.page(this, event);
  }

  /** What came of a stimulus is not known. Of what began before the recording nothing is taken for granted then. */
  lost(event: TraceEvent, showsHypercalls: boolean): void {
    if (this.profile.initial === 'unknown') this.#sides.drivers.lost(this, event, showsHypercalls);
  }

  handler(event: DriverStimulus): Handler | undefined {
    if (this.profile.kernel === 'unknown') return undefined;
    return this.#sides.drivers.handler(this, event);
  }
}

/** An answer that hangs on what is not known: the recorded one stands, and nothing is announced. */
function inDoubt<A extends MsrAnswer | HypercallAnswer | InterceptAnswer>(answer: A): A {
  const { emitted: _announced, ...plain } = answer;
  return { ...plain, rule: UNMODELLED } as A;
}
