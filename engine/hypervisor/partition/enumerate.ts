import { constant, fieldOf, readU64, sizeOfStruct, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import { type Call, type CallRow, failed, recordedAnswer, succeeded, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { domainFields, wrongDomain } from './pages.ts';
import { PHASES } from './phases.ts';
import { callerOf, findPartition, isChildOf, isOwn, isRoot, wrongState } from './target.ts';

const ID = fieldOf('hv_output_get_partition_id', 'partition_id');
const ID_BYTES = sizeOfStruct('hv_output_get_partition_id');
const NEXT = {
  parent: fieldOf('hv_input_get_next_child_partition', 'parent_partition_id'),
  previous: fieldOf('hv_input_get_next_child_partition', 'previous_child_partition_id'),
};
const BALANCE = {
  id: fieldOf('hv_input_get_memory_balance', 'partition_id'),
  ...domainFields('hv_input_get_memory_balance'),
  available: fieldOf('hv_output_get_memory_balance', 'pages_available'),
  inUse: fieldOf('hv_output_get_memory_balance', 'pages_in_use'),
  bytes: sizeOfStruct('hv_output_get_memory_balance'),
};
const NO_PARTITION = constant('HV_PARTITION_ID_INVALID');
const NOT_THE_PARENT = failed(STATUS.ACCESS_DENIED, 'TLFS2013.partition.not-a-child');

function idOutput(id: bigint): Uint8Array {
  const output = new Uint8Array(ID_BYTES);
  writeField(output, ID, id);
  return output;
}

/** What a recorded call returned in a field of its output. */
function recorded(call: Call, field: typeof ID, bytes: number): bigint | undefined {
  const { output } = recordedAnswer(call.event);
  return output === undefined || output.length < bytes ? undefined : readU64(output, field);
}

/** HvCallGetPartitionId: ids begin with 1, which is the root's (TLFS, HV_PARTITION_ID); what another has is the hypervisor's choice. */
function ownId(call: Call): HypercallAnswer {
  const own = BigInt(call.context.store.key(callerOf(call)));
  const isKnown = call.caller !== undefined || isRoot(call);
  const id = isKnown ? own : call.context.bind('partition-id', recorded(call, ID, ID_BYTES), own);
  return succeeded('TLFS.partition.id', idOutput(id));
}

/** The caller itself or one of its children. */
function related(
  call: Call,
  field: typeof ID,
): { readonly id: ObjectId } | { readonly answer: HypercallAnswer } {
  const found = findPartition(call, field);
  if ('answer' in found || found.id === callerOf(call)) return found;
  return isChildOf(call.context, found.id, callerOf(call)) ? found : { answer: NOT_THE_PARENT };
}

/** HvCallGetNextChildPartition: children by their ids, from the one after the last that was told on; none is the end. */
function nextChild(call: Call): HypercallAnswer {
  const found = related(call, NEXT.parent);
  if ('answer' in found) return found.answer;
  const { store, profile } = call.context;
  // One that was there before the recording began may be among them.
  if (profile.initial === 'unknown') return unmodelledCall(call.event);
  const previous = readU64(call.input, NEXT.previous);
  const next = store
    .children(TOP, PARTITION)
    .filter((id) => isChildOf(call.context, id, found.id))
    .map((id) => BigInt(store.key(id)))
    .filter((id) => id > previous)
    .reduce((least, id) => (least === NO_PARTITION || id < least ? id : least), NO_PARTITION);
  return succeeded('TLFS.partition.next-child', idOutput(next));
}

/**
 * HvCallGetMemoryBalance: free pages of a pool, and those in use. How many objects take is not public, so that a record is
 * taken as it stands.
 */
function balance(call: Call): HypercallAnswer {
  const found = related(call, BALANCE.id);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.WITHDRAW_MEMORY);
  const domain = wrong ?? wrongDomain(call, BALANCE);
  if (domain !== undefined) return domain;
  const { store } = call.context;
  const { deposited, used } = PARTITION.slots.pool;
  const cells = [cellAt(found.id, deposited), cellAt(found.id, used)] as const;
  if (isOwn(call, found.id) || !cells.every((cell) => store.known(cell))) return unmodelledCall(call.event);
  const inUse = store.get(cells[1]);
  const output = new Uint8Array(BALANCE.bytes);
  for (const { field, own } of [
    { field: BALANCE.available, own: store.get(cells[0]) - inUse },
    { field: BALANCE.inUse, own: inUse },
  ]) {
    writeField(output, field, call.context.bind('pool-balance', recorded(call, field, BALANCE.bytes), own));
  }
  return succeeded('TLFS.pool.balance', output);
}

/** What partitions there are, and what their pools have. */
export const ENUMERATE_CALLS: readonly CallRow[] = [
  { name: 'GET_PARTITION_ID', answer: ownId },
  { name: 'GET_NEXT_CHILD_PARTITION', answer: nextChild },
  { name: 'GET_MEMORY_BALANCE', answer: balance },
];
