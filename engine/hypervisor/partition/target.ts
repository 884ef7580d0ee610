import { constant, type FieldHandle, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId, TOP } from '../../state/store.ts';
import { type Call, failed, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION, PARTITION_STATES, type PartitionState } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { OWN_PARTITION } from '../initialise.ts';

const SELF = constant('HV_PARTITION_ID_SELF');

/** What a call concerns, or the answer because it cannot. */
export type Found = { readonly id: ObjectId } | { readonly answer: HypercallAnswer };

/** The partition that makes a call. */
export function callerOf({ caller, context }: Call): ObjectId {
  const id = caller ?? context.store.find(TOP, PARTITION, OWN_PARTITION);
  if (id === undefined) throw new Error('the own partition is gone');
  return id;
}

/**
 * The partition that a call names. Where the recording began mid-life, one that it has not seen may exist all
 * the same: then nothing can be said.
 */
export function findPartition(call: Call, field: FieldHandle): Found {
  const named = readU64(call.input, field);
  if (named === SELF) return { id: callerOf(call) };
  const id = call.context.store.find(TOP, PARTITION, keyOf(named));
  if (id !== undefined) return { id };
  if (call.context.profile.initial === 'unknown') return { answer: unmodelledCall(call.event) };
  return { answer: failed(STATUS.INVALID_PARTITION_ID, 'TLFS2013.partition.unknown-id') };
}

export function isOwn(call: Call, id: ObjectId): boolean {
  return call.context.store.key(id) === OWN_PARTITION;
}

/** The caller is a root partition, which has the machine and its own properties to itself. */
export function isRoot({ context: { profile } }: Call): boolean {
  return profile.role === 'root' || profile.role === 'nested-root';
}

export function isChildOf({ store }: Context, id: ObjectId, parent: ObjectId): boolean {
  return store.get(cellAt(id, PARTITION.slots.parent)) === BigInt(store.key(parent));
}

/** A child of the caller: only its parent may steer a partition's life (TLFS 2013, HvInitializePartition). */
export function findChild(call: Call, field: FieldHandle): Found {
  const found = findPartition(call, field);
  if ('answer' in found || isChildOf(call.context, found.id, callerOf(call))) return found;
  return { answer: failed(STATUS.ACCESS_DENIED, 'TLFS2013.partition.not-a-child') };
}

export function stateOf(call: Call, id: ObjectId): PartitionState {
  const state = call.context.store.low(cellAt(id, PARTITION.slots.state));
  return PARTITION_STATES[state] ?? 'none';
}

export function setState(call: Call, id: ObjectId, state: PartitionState): void {
  call.context.store.set(cellAt(id, PARTITION.slots.state), PARTITION_STATES.indexOf(state));
}

/** The answer to a call that the partition's state does not allow; undefined where it does. */
export function wrongState(
  call: Call,
  id: ObjectId,
  legal: readonly PartitionState[],
): HypercallAnswer | undefined {
  if (legal.includes(stateOf(call, id))) return undefined;
  return failed(STATUS.INVALID_PARTITION_STATE, 'TLFS2013.partition.state');
}

/** The VP of a partition with that index. */
export function findVp(call: Call, partition: ObjectId, index: number): Found {
  const id = call.context.store.find(partition, VP, index);
  if (id !== undefined) return { id };
  return { answer: failed(STATUS.INVALID_VP_INDEX, 'TLFS2013.vp.unknown-index') };
}

/** Whether one of the fields that must be zero is not, and the profile minds (profile `reservedBits`). */
export function reservedSet(call: Pick<Call, 'context' | 'input'>, fields: readonly FieldHandle[]): boolean {
  if (call.context.profile.reservedBits === 'warn') return false;
  return fields.some((field) => isSet(call.input, field));
}

/** Whether a bit of a field is set, of all elements of an array. */
function isSet(input: Uint8Array, field: FieldHandle): boolean {
  if (field.width !== undefined) return readU64(input, field) !== 0n;
  for (let at = field.offset; at < field.offset + field.length; at++) {
    if ((input[at] ?? 0) !== 0) return true;
  }
  return false;
}

export const RESERVED = failed(STATUS.INVALID_PARAMETER, 'choice.input.reserved');
