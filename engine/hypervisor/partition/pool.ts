import { fieldOf, readHigh32, readU32, readU64, writeField } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import { keyOf, type ObjectId } from '../../state/store.ts';
import type { Profile } from '../../trace/profile.ts';
import { type Call, type CallRow, repeated, unmodelledCall } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { PARTITION, POOL_RUN } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { PHASES } from './phases.ts';
import { findPartition, isOwn, wrongState } from './target.ts';

const DEPOSIT = {
  id: fieldOf('hv_deposit_memory', 'partition_id'),
  list: fieldOf('hv_deposit_memory', 'gpa_page_list'),
};
const WITHDRAW_ID = fieldOf('hv_input_withdraw_memory', 'partition_id');
const WITHDRAWN = fieldOf('hv_output_withdraw_memory', 'gpa_page_list');
const FRAME_BYTES = 8;

/**
 * Pages become the hypervisor's. That each is the caller's to give and not in use already (TLFS 2013,
 * HvDepositMemory) is taken for granted.
 */
function deposit(call: Call): HypercallAnswer {
  const found = findPartition(call, DEPOSIT.id);
  if ('answer' in found) return found.answer;
  // A parent gives pages to its children, and only a root to itself.
  if (isOwn(call, found.id) && !isRoot(call.context.profile.role)) {
    return repeated(STATUS.ACCESS_DENIED, 0, 'TLFS2013.pool.not-the-parent');
  }
  const wrong = wrongState(call, found.id, PHASES.DEPOSIT_MEMORY);
  if (wrong !== undefined) return wrong;
  const { repCount, repStart } = call.control;
  if (call.input.length < DEPOSIT.list.offset + repCount * FRAME_BYTES) return unmodelledCall(call.event);
  addRuns(call, found.id, repStart, repCount);
  const { store } = call.context;
  const deposited = cellAt(found.id, PARTITION.slots.pool.deposited);
  if (store.known(deposited)) store.set(deposited, store.number(deposited) + repCount - repStart);
  return repeated(STATUS.SUCCESS, repCount, 'TLFS2013.pool.deposit');
}

function isRoot(role: Profile['role']): boolean {
  return role === 'root' || role === 'nested-root';
}

/** Frame `index` of a list stands right behind the one before it. */
function isFrameAfter(input: Uint8Array, index: number): boolean {
  const low = readU32(input, DEPOSIT.list, index);
  const lowBefore = readU32(input, DEPOSIT.list, index - 1);
  const above = readHigh32(input, DEPOSIT.list, index) - readHigh32(input, DEPOSIT.list, index - 1);
  return above === 0 ? low === lowBefore + 1 : above === 1 && low === 0 && lowBefore === 0xffff_ffff;
}

/** Notes the pages as runs of neighbours: that is how the kernel allocates them, and far fewer cells. */
function addRuns(call: Call, partition: ObjectId, from: number, to: number): void {
  const { store } = call.context;
  const next = cellAt(partition, PARTITION.slots.pool.nextRun);
  for (let i = from; i < to; ) {
    const frame = readU64(call.input, DEPOSIT.list, i);
    let pages = 1;
    while (i + pages < to && isFrameAfter(call.input, i + pages)) pages++;
    const run = store.create(partition, POOL_RUN, store.number(next));
    store.set(next, store.number(next) + 1);
    store.set(cellAt(run, POOL_RUN.slots.frame), frame);
    store.set(cellAt(run, POOL_RUN.slots.pages), pages);
    i += pages;
  }
}

/**
 * Free pages go back, as many as there are; too few is NO_RESOURCES with those that there were (TLFS 2013,
 * HvWithdrawMemory). Which ones and in which order is the hypervisor's choice: the last that came go first.
 */
function withdraw(call: Call): HypercallAnswer {
  const found = findPartition(call, WITHDRAW_ID);
  if ('answer' in found) return found.answer;
  const wrong = wrongState(call, found.id, PHASES.WITHDRAW_MEMORY);
  if (wrong !== undefined) return wrong;
  const { store } = call.context;
  const { pool } = PARTITION.slots;
  const deposited = cellAt(found.id, pool.deposited);
  if (!store.known(deposited)) return unmodelledCall(call.event);
  const free = store.number(deposited) - store.number(cellAt(found.id, pool.used));
  const { repCount, repStart } = call.control;
  const pages = Math.min(free, repCount - repStart);
  const output = takeRuns(call, found.id, repStart, pages);
  if (pages > 0) store.set(deposited, store.number(deposited) - pages);
  const status = repStart + pages === repCount ? STATUS.SUCCESS : STATUS.NO_RESOURCES;
  return repeated(status, repStart + pages, 'TLFS2013.pool.withdraw', chosenFrames(call, output));
}

function takeRuns(call: Call, partition: ObjectId, from: number, pages: number): Uint8Array {
  const { store } = call.context;
  const output = new Uint8Array((from + pages) * FRAME_BYTES);
  const runs = store.children(partition, POOL_RUN);
  let done = 0;
  for (let newest = runs.length - 1; done < pages; newest--) {
    const run = runs[newest];
    if (run === undefined) throw new Error('the pool has fewer pages than it counts');
    const left = cellAt(run, POOL_RUN.slots.pages);
    const frame = store.get(cellAt(run, POOL_RUN.slots.frame));
    const had = store.number(left);
    const taken = Math.min(had, pages - done);
    const last = keyOf(frame + BigInt(had - 1));
    for (let i = 0; i < taken; i++) {
      const given = typeof last === 'number' ? last - i : last - BigInt(i);
      writeField(output, WITHDRAWN, given, from + done + i);
    }
    if (taken === had) store.destroy(run);
    else store.set(left, had - taken);
    done += taken;
  }
  return output;
}

/** The recorded list, where it is as long as it must be. */
function chosenFrames(call: Call, own: Uint8Array): Uint8Array {
  const recorded = call.event.output;
  if (recorded === undefined || recorded.length < own.length || own.length === 0) return own;
  call.context.bind('withdrawn-frames', readU64(recorded, WITHDRAWN), readU64(own, WITHDRAWN));
  return recorded;
}

/** Memory pools of partitions. */
export const POOL_CALLS: readonly CallRow[] = [
  { name: 'DEPOSIT_MEMORY', answer: deposit },
  { name: 'WITHDRAW_MEMORY', answer: withdraw },
];
