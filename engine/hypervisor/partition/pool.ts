import { fieldOf, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, repeated, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { accepted, listFrames } from './frame-list.ts';
import { domainFields, wrongDomain } from './pages.ts';
import { PHASES } from './phases.ts';
import { addFrames, newestFrames, takeListed } from './pool-frames.ts';
import { callerOf, findPartition, isChildOf, isOwn, isRoot, wrongState } from './target.ts';
import { sharedFrames } from './used-frames.ts';

const DEPOSIT = {
  id: fieldOf('hv_deposit_memory', 'partition_id'),
  list: fieldOf('hv_deposit_memory', 'gpa_page_list'),
};
const WITHDRAW = {
  id: fieldOf('hv_input_withdraw_memory', 'partition_id'),
  ...domainFields('hv_input_withdraw_memory'),
};
const WITHDRAWN = fieldOf('hv_output_withdraw_memory', 'gpa_page_list');
const FRAME_BYTES = 8;
/** Pages become the hypervisor's, one by one (TLFS 2013, HvDepositMemory). */
function deposit(call: Call): HypercallAnswer {
  const found = findPartition(call, DEPOSIT.id);
  if ('answer' in found) return found.answer;
  if (!feeds(call, found.id)) return repeated(STATUS.ACCESS_DENIED, 0, 'TLFS2013.pool.not-the-parent');
  const wrong = wrongState(call, found.id, PHASES.DEPOSIT_MEMORY);
  if (wrong !== undefined) return wrong;
  const { repCount, repStart } = call.control;
  if (call.input.length < DEPOSIT.list.offset + repCount * FRAME_BYTES) return unmodelledCall(call.event);
  const { runs, refused } = accepted(
    call,
    listFrames(call, DEPOSIT.list, repStart, repCount),
    true,
    sharedFrames,
  );
  for (const run of runs) addFrames(call, found.id, run);
  const reps = refused?.index ?? repCount;
  const { store } = call.context;
  const deposited = cellAt(found.id, PARTITION.slots.pool.deposited);
  if (store.known(deposited) && reps > repStart)
    store.set(deposited, store.number(deposited) + reps - repStart);
  if (refused === undefined) return repeated(STATUS.SUCCESS, repCount, 'TLFS2013.pool.deposit');
  if (refused.why === 'shared') return repeated(STATUS.OBJECT_IN_USE, reps, 'TLFS2013.pool.in-use');
  const rule =
    refused.why === 'deposited' ? 'TLFS2013.pool.deposited-already' : 'TLFS2013.pool.not-the-callers';
  return repeated(STATUS.OPERATION_DENIED, reps, rule);
}

/** A parent gives pages to its children, and only a root to itself. */
function feeds(call: Call, partition: ObjectId): boolean {
  if (isChildOf(call.context, partition, callerOf(call))) return true;
  return isRoot(call) && isOwn(call, partition) && call.caller === undefined;
}

/**
 * Free pages go back, as many as there are; too few is NO_RESOURCES with those that there were (TLFS 2013,
 * HvWithdrawMemory). Which ones and in which order is the hypervisor's choice: the last that came go first.
 */
function withdraw(call: Call): HypercallAnswer {
  const found = findPartition(call, WITHDRAW.id);
  if ('answer' in found) return found.answer;
  if (!feeds(call, found.id) && !isOwn(call, found.id)) {
    return repeated(STATUS.ACCESS_DENIED, 0, 'TLFS2013.pool.not-the-parent');
  }
  const wrong = wrongState(call, found.id, PHASES.WITHDRAW_MEMORY);
  if (wrong !== undefined) return wrong;
  const domain = wrongDomain(call, WITHDRAW);
  if (domain !== undefined) return domain;
  const { store } = call.context;
  const { pool } = PARTITION.slots;
  const deposited = cellAt(found.id, pool.deposited);
  if (!store.known(deposited)) return unmodelledCall(call.event);
  const free = store.number(deposited) - store.number(cellAt(found.id, pool.used));
  const { repCount, repStart } = call.control;
  const pages = Math.min(free, repCount - repStart);
  const output = chosenFrames(call, found.id, repStart, pages);
  if (pages > 0) store.set(deposited, store.number(deposited) - pages);
  const status = repStart + pages === repCount ? STATUS.SUCCESS : STATUS.NO_RESOURCES;
  return repeated(status, repStart + pages, 'TLFS2013.pool.withdraw', output);
}

/** The recorded list, where it is as long as it must be and has nothing but pages of the pool; else an own one. */
function chosenFrames(call: Call, pool: ObjectId, from: number, pages: number): Uint8Array {
  const recorded = call.event.output;
  const to = from + pages;
  const isEnough = recorded !== undefined && recorded.length >= to * FRAME_BYTES && to > 0;
  if (isEnough && takeListed(call, pool, recorded, from, to)) {
    const first = readU64(recorded, WITHDRAWN);
    call.context.bind('withdrawn-frames', first, first);
    return recorded;
  }
  const own = newestFrames(call, pool, from, pages);
  takeListed(call, pool, own, from, to);
  return own;
}

/** Memory pools of partitions. */
export const POOL_CALLS: readonly CallRow[] = [
  { name: 'DEPOSIT_MEMORY', answer: deposit },
  { name: 'WITHDRAW_MEMORY', answer: withdraw },
];
