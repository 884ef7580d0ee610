import { constant, fieldOf, readU64, setOf, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { keyOf, TOP } from '../../state/store.ts';
import { type Call, type CallRow, failed, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { HYPERVISOR } from '../cells/host.ts';
import { INTERCEPT } from '../cells/intercept.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { OWN_PARTITION } from '../initialise.ts';
import { removeGpa } from '../memory/runs.ts';
import { removePorts } from '../port/calls.ts';
import { takePages } from './pages.ts';
import { PHASES } from './phases.ts';
import { findChild, RESERVED, reservedSet, setState, wrongState } from './target.ts';

const CREATE = {
  flags: fieldOf('hv_input_create_partition', 'flags'),
  padding: fieldOf('hv_input_create_partition', 'padding'),
  id: fieldOf('hv_output_create_partition', 'partition_id'),
};
const INITIALIZE_ID = fieldOf('hv_input_initialize_partition', 'partition_id');
const FINALIZE_ID = fieldOf('hv_input_finalize_partition', 'partition_id');
const DELETE_ID = fieldOf('hv_input_delete_partition', 'partition_id');
const OUTPUT_BYTES = 8;
const NO_PARTITION = constant('HV_PARTITION_ID_INVALID');
const SELF = constant('HV_PARTITION_ID_SELF');

function knownCreationFlags(): bigint {
  const set = setOf('partitionCreationFlags');
  if (set?.kind !== 'flags') throw new Error('partitionCreationFlags is not a set of flags');
  return set.flags.reduce((mask, flag) => mask | flag.mask, 0n);
}
const CREATION_FLAGS = knownCreationFlags();

/** A child in the state Uninitialized; its id is the hypervisor's choice and never used again. */
function create(call: Call): HypercallAnswer {
  const { context, input } = call;
  const flags = readU64(input, CREATE.flags);
  if ((flags & ~CREATION_FLAGS) !== 0n) {
    return failed(STATUS.INVALID_PARAMETER, 'TLFS2013.partition.creation-flags');
  }
  if (reservedSet(call, [CREATE.padding])) return RESERVED;
  const { store } = context;
  const hypervisor = store.find(TOP, HYPERVISOR, 0);
  if (hypervisor === undefined) throw new Error('no hypervisor');
  const next = cellAt(hypervisor, HYPERVISOR.slots.nextPartition);
  const id = keyOf(chosenId(call, store.get(next)));
  const partition = store.create(TOP, PARTITION, id);
  if (BigInt(id) >= store.get(next)) store.set(next, BigInt.asUintN(64, BigInt(id) + 1n));
  store.set(cellAt(partition, PARTITION.slots.parent), OWN_PARTITION);
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
  return call.context.store.find(TOP, PARTITION, keyOf(id)) !== undefined;
}

function initialize(call: Call): HypercallAnswer {
  const found = findChild(call, INITIALIZE_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.INITIALIZE_PARTITION);
  if (wrong !== undefined) return wrong;
  const short = takePages(call, found.id, call.context.profile.pool.partition);
  if (short !== undefined) return short;
  setState(call, found.id, 'active');
  return succeeded('TLFS2013.partition.initialize');
}

/** Frees everything that the partition has; its pages go back to its own pool and can be withdrawn. */
function finalize(call: Call): HypercallAnswer {
  const found = findChild(call, FINALIZE_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.FINALIZE_PARTITION);
  if (wrong !== undefined) return wrong;
  const { store } = call.context;
  for (const vp of store.children(found.id, VP)) store.destroy(vp);
  removeGpa(call.context, found.id);
  removePorts(call.context, found.id);
  for (const intercept of store.children(found.id, INTERCEPT)) store.destroy(intercept);
  store.set(cellAt(found.id, PARTITION.slots.stats.self), 0);
  store.set(cellAt(found.id, PARTITION.slots.stats.parent), 0);
  store.set(cellAt(found.id, PARTITION.slots.pool.used), 0);
  store.set(cellAt(found.id, PARTITION.slots.pool.mapped), 0);
  store.set(cellAt(found.id, PARTITION.slots.pendingCalls), 0);
  setState(call, found.id, 'finalized');
  return succeeded('TLFS2013.partition.finalize');
}

function remove(call: Call): HypercallAnswer {
  const found = findChild(call, DELETE_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.DELETE_PARTITION);
  if (wrong !== undefined) return wrong;
  const { store } = call.context;
  if (store.get(cellAt(found.id, PARTITION.slots.pool.deposited)) !== 0n) {
    return failed(STATUS.OPERATION_DENIED, 'TLFS2013.partition.pool-not-drained');
  }
  store.destroy(found.id);
  return succeeded('TLFS2013.partition.delete');
}

/** Creating, initialising, finalising and deleting partitions. */
export const LIFE_CYCLE_CALLS: readonly CallRow[] = [
  { name: 'CREATE_PARTITION', answer: create },
  { name: 'INITIALIZE_PARTITION', answer: initialize },
  { name: 'FINALIZE_PARTITION', answer: finalize },
  { name: 'DELETE_PARTITION', answer: remove },
];
