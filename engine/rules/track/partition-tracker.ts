import { fieldOf, partitionProperties, readU32, readU64 } from '../../abi/index.ts';
import type { PartitionState } from '../../hypervisor/cells/partition.ts';
import type { Step } from '../../replay/step.ts';
import type { Moment } from '../open-finding.ts';
import type { Tracker, TrackerInput, TrackerKind } from '../rule.ts';
import { type Answered, answered, call, isDone, partitionField, SUCCESS, status } from './hypercall.ts';

const CREATE = call('CREATE_PARTITION');
const INITIALIZE = call('INITIALIZE_PARTITION');
const FINALIZE = call('FINALIZE_PARTITION');
const DELETE = call('DELETE_PARTITION');
const SET_PROPERTY = call('SET_PARTITION_PROPERTY');
const CREATED_ID = fieldOf('hv_output_create_partition', 'partition_id');
const PROPERTY = fieldOf('hv_input_set_partition_property', 'property_code');
const VALUE = fieldOf('hv_input_set_partition_property', 'property_value');
const TIME_FREEZE = partitionProperties.number('TIME_FREEZE');
/** How a finalization that goes on in the next call is answered (engine: profile finalizeCalls). */
const TIME_OUT = status('TIME_OUT');

const ID = new Map([INITIALIZE, FINALIZE, DELETE, SET_PROPERTY].map((code) => [code, partitionField(code)]));

/** What ends the kernel that made the partitions, or lets time pass that is not in the trace. */
const ENDS: ReadonlySet<string> = new Set(['kexec', 'crash', 'reboot', 'power-off', 'resume']);

/** Partitions that are remembered after they were deleted. */
const MAX_DELETED = 256;

export type Phase = Exclude<PartitionState, 'none'> | 'deleted';

/** A partition whose creation is in the trace. */
export interface Life {
  readonly id: bigint;
  readonly phase: Phase;
  /** What brought it into its phase. */
  readonly since: Moment;
  readonly created: Moment;
  /** Whether its time stands still, and since when; it does not when it is made. */
  readonly frozen: boolean;
  readonly frozenSince: Moment;
}

type Live = { -readonly [K in keyof Life]: Life[K] };

/**
 * The phases of the partitions that were created in the trace, by what the hypervisor answered (TLFS 2013, partition
 * states). Of any other partition nothing is known, nor of one that a guest made.
 */
export class PartitionTracker implements Tracker {
  readonly #now: () => Moment;
  readonly #lives = new Map<bigint, Live>();
  readonly #deleted: bigint[] = [];
  /** As it was before the last step that changed its phase, and that step. */
  #before: { readonly life: Life; readonly step: number } | undefined;

  constructor({ now }: TrackerInput) {
    this.#now = now;
  }

  step(step: Step): void {
    const { event } = step;
    if (event.kind === 'lifecycle') {
      if (event.phase === 'end' && ENDS.has(event.what)) this.#lives.clear();
      return;
    }
    if (event.kind === 'mark') {
      if (event.what === 'gap') this.#lives.clear();
      return;
    }
    const hypercall = isHost(step) ? answered(step) : undefined;
    if (hypercall !== undefined) this.#answered(hypercall);
  }

  /** A partition as it was before the present step. */
  before(id: bigint): Life | undefined {
    const changed = this.#before?.step === this.#now().step ? this.#before.life : undefined;
    return changed?.id === id ? changed : this.#lives.get(id);
  }

  /** A partition as it is now. */
  life(id: bigint): Life | undefined {
    return this.#lives.get(id);
  }

  #answered(hypercall: Answered): void {
    const { input, output, control } = hypercall;
    if (control.code === CREATE) {
      if (hypercall.status === SUCCESS && output !== undefined) this.#created(readU64(output, CREATED_ID));
      return;
    }
    const field = ID.get(control.code);
    const life = field === undefined ? undefined : this.#lives.get(readU64(input, field));
    if (life === undefined) return;
    switch (control.code) {
      case INITIALIZE:
        if (hypercall.status === SUCCESS) this.#enter(life, 'active');
        return;
      case FINALIZE:
        if (hypercall.status === SUCCESS) this.#enter(life, 'finalized');
        else if (hypercall.status === TIME_OUT) this.#enter(life, 'finalizing');
        return;
      case DELETE:
        if (hypercall.status === SUCCESS) this.#delete(life);
        return;
      default:
        if (!isDone(hypercall.status) || readU32(input, PROPERTY) !== TIME_FREEZE) return;
        life.frozen = readU64(input, VALUE) !== 0n;
        life.frozenSince = this.#now();
    }
  }

  #created(id: bigint): void {
    const now = this.#now();
    const life: Live = {
      id,
      phase: 'uninitialized',
      since: now,
      created: now,
      frozen: false,
      frozenSince: now,
    };
    this.#lives.set(id, life);
  }

  #enter(life: Live, phase: Phase): void {
    this.#before = { life: { ...life }, step: this.#now().step };
    life.phase = phase;
    life.since = this.#now();
  }

  #delete(life: Live): void {
    this.#enter(life, 'deleted');
    this.#deleted.push(life.id);
    const oldest = this.#deleted.length > MAX_DELETED ? this.#deleted.shift() : undefined;
    if (oldest !== undefined && this.#lives.get(oldest)?.phase === 'deleted') this.#lives.delete(oldest);
  }
}

/** A call that the kernel which is traced made, and no guest: a guest’s partitions are none of the trace’s. */
export function isHost({ event }: Step): boolean {
  return event.vp === undefined && event.component !== 'guest';
}

export const PARTITIONS: TrackerKind<PartitionTracker> = {
  name: 'partitions',
  watches: [
    { kind: 'hypercall', codes: [CREATE, INITIALIZE, FINALIZE, DELETE, SET_PROPERTY] },
    'lifecycle',
    'mark',
  ],
  create: (input) => new PartitionTracker(input),
};
