import { constant, fieldOf, readU64, setOf, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { keyOf, type ObjectId, TOP } from '../../state/store.ts';
import { type Call, type CallRow, failed, refusedInRecord, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { FIRST_CHILD, HYPERVISOR } from '../cells/host.ts';
import { INTERCEPT } from '../cells/intercept.ts';
import { PARTITION, PARTITION_STATES } from '../cells/partition.ts';
import { cellAt, knownOr } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { OWN_PARTITION } from '../initialise.ts';
import { removeGpa } from '../memory/runs.ts';
import { removePorts } from '../port/calls.ts';
import { domainFields, returnPages, takePages, wrongDomain } from './pages.ts';
import { PHASES } from './phases.ts';
import {
  callerOf,
  findChild,
  isChildOf,
  RESERVED,
  reservedSet,
  setState,
  stateOf,
  wrongState,
} from './target.ts';

const CREATE = {
  flags: fieldOf('hv_input_create_partition', 'flags'),
  ...domainFields('hv_input_create_partition'),
  reserved: ['padding', 'isolation_properties.rsvd_z'].map((name) =>
    fieldOf('hv_input_create_partition', name),
  ),
  id: fieldOf('hv_output_create_partition', 'partition_id'),
};
const INITIALIZE_ID = fieldOf('hv_input_initialize_partition', 'partition_id');
const FINALIZE_ID = fieldOf('hv_input_finalize_partition', 'partition_id');
const DELETE_ID = fieldOf('hv_input_delete_partition', 'partition_id');
/** What a call says where no more partitions may be active. */
const TOO_MANY: ReadonlySet<number> = new Set([STATUS.NO_RESOURCES]);
const OUTPUT_BYTES = 8;
const NO_PARTITION = constant('HV_PARTITION_ID_INVALID');
const SELF = constant('HV_PARTITION_ID_SELF');

function knownCreationFlags(): bigint {
  const set = setOf('partitionCreationFlags');
  if (set?.kind !== 'flags') throw new Error('partitionCreationFlags is not a set of flags');
  return set.flags.reduce((mask, flag) => mask | flag.mask, 0n);
}
const CREATION_FLAGS = knownCreationFlags();

/** How many parents a partition has above it, up to that of the trace. */
function depthOf({ context: { store } }: Call, partition: ObjectId): number {
  let depth = 0;
  for (let id: ObjectId | undefined = partition; id !== undefined; depth++) {
    id = store.find(TOP, PARTITION, keyOf(store.get(cellAt(id, PARTITION.slots.parent))));
  }
  return depth - 1;
}

/** Partitions that a partition has made and that exist. */
function childrenOf({ context }: Call, parent: ObjectId): ObjectId[] {
  return context.store.children(TOP, PARTITION).filter((id) => isChildOf(context, id, parent));
}

/** A child in the state Uninitialized; its id is the hypervisor's choice and never used again. */
function create(call: Call): HypercallAnswer {
  const { context, input } = call;
  const flags = readU64(input, CREATE.flags);
  if ((flags & ~CREATION_FLAGS) !== 0n) {
    return failed(STATUS.INVALID_PARAMETER, 'TLFS2013.partition.creation-flags');
  }
  if (reservedSet(call, CREATE.reserved)) return RESERVED;
  const domain = wrongDomain(call, CREATE);
  if (domain !== undefined) return domain;
  const parent = callerOf(call);
  const { store, profile } = context;
  if (profile.partitionDepth !== 0 && depthOf(call, parent) >= profile.partitionDepth) {
    return failed(STATUS.PARTITION_TOO_DEEP, 'profile.partition-depth');
  }
  const short = takePages(call, parent, 'child', profile.pool.child);
  if (short !== undefined) return short;
  const hypervisor = store.find(TOP, HYPERVISOR, 0);
  if (hypervisor === undefined) throw new Error('no hypervisor');
  const next = cellAt(hypervisor, HYPERVISOR.slots.nextPartition);
  const counted = knownOr(context, next, FIRST_CHILD);
  const id = keyOf(chosenId(call, counted));
  const partition = store.create(TOP, PARTITION, id);
  if (BigInt(id) >= counted) store.set(next, BigInt.asUintN(64, BigInt(id) + 1n));
  store.set(cellAt(partition, PARTITION.slots.parent), BigInt(store.key(parent)));
  store.set(cellAt(partition, PARTITION.slots.flags), flags);
  setState(call, partition, 'uninitialized');
  const output = new Uint8Array(OUTPUT_BYTES);
  writeField(output, CREATE.id, BigInt(id));
  return succeeded('TLFS2013.partition.create', output);
}

/** The id that a recorded call returned, unless no partition could have it: then the record is wrong. */
function chosenId(call: Call, next: bigint): bigint {
  const { output } = call.event;
  let own = next;
  while (isTaken(call, own)) own = BigInt.asUintN(64, own + 1n);
  if (output === undefined || output.length < OUTPUT_BYTES) return own;
  const recorded = readU64(output, CREATE.id);
  return isTaken(call, recorded) ? own : call.context.bind('partition-id', recorded, own);
}

function isTaken(call: Call, id: bigint): boolean {
  if (id === NO_PARTITION || id === SELF) return true;
  return call.context.store.shows(TOP, PARTITION, keyOf(id));
}

function initialize(call: Call): HypercallAnswer {
  const found = findChild(call, INITIALIZE_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.INITIALIZE_PARTITION);
  if (wrong !== undefined) return wrong;
  const tooMany = tooManyActive(call);
  if (tooMany !== undefined) return tooMany;
  const short = takePages(call, found.id, 'partition', call.context.profile.pool.partition);
  if (short !== undefined) return short;
  setState(call, found.id, 'active');
  return succeeded('TLFS2013.partition.initialize');
}

/** The failure where one more may not be active; those of before the recording count, and nobody knows how many they are. */
function tooManyActive(call: Call): HypercallAnswer | undefined {
  const { activePartitions: most, initial } = call.context.profile;
  if (most === 0) return undefined;
  if (activePartitions(call) >= most) return failed(STATUS.NO_RESOURCES, 'profile.active-partitions');
  return initial === 'unknown' ? refusedInRecord(call, TOO_MANY) : undefined;
}

/** Partitions that are initialised and not deleted, but for the own one. */
function activePartitions({ context: { store } }: Call): number {
  return store
    .children(TOP, PARTITION)
    .filter((id) => store.key(id) !== OWN_PARTITION && isBegun(store.low(cellAt(id, PARTITION.slots.state))))
    .length;
}

/** By the number of its state. */
function isBegun(state: number): boolean {
  return state >= PARTITION_STATES.indexOf('active');
}

/**
 * Frees everything that the partition has; its pages go back to its own pool and can be withdrawn. A large one may
 * need several calls (TLFS 2013, partition states; profile `finalizeCalls`): the first takes away all that it has,
 * each frees its share of the pages, and all but the last end with TIME_OUT, so that the caller knows to go on.
 */
function finalize(call: Call): HypercallAnswer {
  const found = findChild(call, FINALIZE_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.FINALIZE_PARTITION);
  if (wrong !== undefined) return wrong;
  if (childrenOf(call, found.id).length > 0) {
    return failed(STATUS.OPERATION_DENIED, 'TLFS2013.partition.has-children');
  }
  const { store, profile } = call.context;
  const more = cellAt(found.id, PARTITION.slots.finalizeCalls);
  const used = cellAt(found.id, PARTITION.slots.pool.used);
  const isFirst = stateOf(call, found.id) === 'active';
  if (isFirst) takeAway(call, found.id);
  const calls = isFirst ? profile.finalizeCalls : store.number(more);
  const had = store.number(used);
  store.set(used, had - Math.ceil(had / calls));
  if (calls > 1 || !isFirst) store.set(more, calls - 1);
  setState(call, found.id, calls === 1 ? 'finalized' : 'finalizing');
  return calls === 1
    ? succeeded('TLFS2013.partition.finalize')
    : failed(STATUS.TIME_OUT, 'profile.finalize-calls');
}

/** VPs, memory, ports, intercepts and statistics go. */
function takeAway({ context }: Call, partition: ObjectId): void {
  const { store } = context;
  for (const vp of store.children(partition, VP)) store.destroy(vp);
  removeGpa(context, partition);
  removePorts(context, partition);
  for (const intercept of store.children(partition, INTERCEPT)) store.destroy(intercept);
  const { stats, pool, pendingCalls } = PARTITION.slots;
  for (const slot of [stats.self, stats.parent, pool.mapped, pool.blocks, pendingCalls]) {
    store.set(cellAt(partition, slot), 0);
  }
}

function remove(call: Call): HypercallAnswer {
  const found = findChild(call, DELETE_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.DELETE_PARTITION);
  if (wrong !== undefined) return wrong;
  const { store, profile } = call.context;
  if (store.get(cellAt(found.id, PARTITION.slots.pool.deposited)) !== 0n) {
    return failed(STATUS.OPERATION_DENIED, 'TLFS2013.partition.pool-not-drained');
  }
  store.destroy(found.id);
  returnPages(call, callerOf(call), 'child', profile.pool.child);
  return succeeded('TLFS2013.partition.delete');
}

/** Creating, initialising, finalising and deleting partitions. */
export const LIFE_CYCLE_CALLS: readonly CallRow[] = [
  { name: 'CREATE_PARTITION', answer: create },
  { name: 'INITIALIZE_PARTITION', answer: initialize },
  { name: 'FINALIZE_PARTITION', answer: finalize },
  { name: 'DELETE_PARTITION', answer: remove },
];
