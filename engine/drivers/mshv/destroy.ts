import { fieldOf, readU64, registers, writeField } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { MSHV_PARTITION, MSHV_VP } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { hidePartition } from './debugfs.ts';
import { deletePartition, finalizePartition } from './end.ts';
import { unmapRegion } from './memory/region-calls.ts';
import { regionsOf } from './memory/regions.ts';
import { partitionOf } from './objects.ts';
import { unmapVpPages, type VpId } from './pages.ts';
import { hasRootScheduler } from './scheduler.ts';
import { withdrawAll } from './withdraw.ts';

const SET_VP_REGISTERS = hypercallCode('SET_VP_REGISTERS');
const GET_VP_REGISTERS = hypercallCode('GET_VP_REGISTERS');
const DISPATCH_SUSPEND = registers.number('HV_REGISTER_DISPATCH_SUSPEND');
const SIGNAL_COUNT = registers.number('HV_REGISTER_VP_ROOT_SIGNAL_COUNT');
const SET = {
  bytes: 48,
  id: fieldOf('hv_input_set_vp_registers', 'partition_id'),
  index: fieldOf('hv_input_set_vp_registers', 'vp_index'),
  name: fieldOf('hv_input_set_vp_registers', 'elements.name'),
  value: fieldOf('hv_input_set_vp_registers', 'elements.value.reg64'),
};
const GET = { bytes: 20, name: fieldOf('hv_input_get_vp_registers', 'names') };
const VALUE = fieldOf('hv_register_value', 'reg64');

/**
 * Tears a partition down once its last file is closed (Linux 7.2 drivers/hv/mshv_root_main.c,
 * destroy_partition). Failures are ignored: the driver forgets the partition in any case.
 */
export function* destroyPartition(context: Context, actor: Actor, partition: bigint): DriverRun<void> {
  const id = partitionOf(context, partition);
  if (id === undefined) return;
  const { store } = context;
  // The RFC of 2020 had no pages of VPs to unmap, and unpinned the guest's memory without unmapping it.
  if (context.profile.kernel === 'rfc2020') {
    yield* finalizePartition(context, actor, partition);
    yield* withdrawAll(actor, partition);
    yield* deletePartition(context, actor, partition);
    store.destroy(id);
    return;
  }
  const isInitialized = store.low(cellAt(id, MSHV_PARTITION.slots.initialized)) === 1;
  const isLate = context.profile.quirks['unmap-after-finalize'] || !isInitialized;
  if (isInitialized) {
    const vps = store
      .children(id, MSHV_VP)
      .map((vp) => ({
        index: Number(store.key(vp)),
        parentStats: store.low(cellAt(vp, MSHV_VP.slots.parentStats)) === 1,
      }))
      .sort((a, b) => a.index - b.index);
    if (hasRootScheduler(context)) {
      for (const { index } of vps) yield* drain(actor, { partition, index });
    }
    // VPs are not deleted one by one.
    for (const { index, parentStats } of vps)
      yield* unmapVpPages(context, actor, { partition, index }, parentStats);
    yield* hidePartition(context, actor, id, partition);
    if (!isLate) yield* unmapAllRegions(context, actor, partition, id);
    yield* finalizePartition(context, actor, partition);
  }
  // After the partition is finalized, so that the hypervisor refuses; nobody minds.
  if (isLate) yield* unmapAllRegions(context, actor, partition, id);
  yield* withdrawAll(actor, partition);
  yield* deletePartition(context, actor, partition);
  store.destroy(id);
}

function* unmapAllRegions(context: Context, actor: Actor, partition: bigint, id: ObjectId): DriverRun<void> {
  // Linux 6.16 leaves them to the end of the partition.
  if (context.profile.kernel === 'upstream-6.16') return;
  for (const region of regionsOf(context, id)) yield* unmapRegion({ context, actor, partition, id }, region);
}

/**
 * Stops the dispatch of a VP and asks how many signals were sent for it: the driver waits until it has had as
 * many. It has had them all, since this machine delivers a signal where it is sent.
 */
function* drain(actor: Actor, vp: VpId): DriverRun<bigint> {
  const suspend = new Uint8Array(SET.bytes);
  writeField(suspend, SET.id, vp.partition);
  writeField(suspend, SET.index, vp.index);
  writeField(suspend, SET.name, DISPATCH_SUSPEND);
  writeField(suspend, SET.value, 1);
  yield* hypercall(actor, SET_VP_REGISTERS, suspend, { reps: 1 });
  const count = new Uint8Array(GET.bytes);
  writeField(count, SET.id, vp.partition);
  writeField(count, SET.index, vp.index);
  writeField(count, GET.name, SIGNAL_COUNT);
  const answer = yield* hypercall(actor, GET_VP_REGISTERS, count, { reps: 1 });
  return readU64(answer.output ?? new Uint8Array(0), VALUE);
}
