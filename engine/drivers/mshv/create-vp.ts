import { constantNumber, fieldOf, readU32, writeField } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV_PARTITION, MSHV_VP } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { hasNoFd, installFd, newFd } from '../process/files.ts';
import { NO_FD } from './create-partition.ts';
import { deposit, hypercallWithMemory } from './deposit.ts';
import type { IoctlRow } from './ioctl-row.ts';
import { partitionOf } from './objects.ts';
import {
  AREA_PARENT,
  AREA_SELF,
  INTERCEPT_PAGE,
  mapStatePage,
  mapStatsPage,
  REGISTERS_PAGE,
  unmapStatePage,
  unmapStatsPage,
  unmapVpPages,
  type VpId,
} from './pages.ts';

const RULE = 'Linux.mshv.create-vp';
const CREATE_VP = hypercallCode('CREATE_VP');
const DELETE_VP = hypercallCode('DELETE_VP');
const MAX_VPS = constantNumber('MSHV_MAX_VPS');
const DEPOSIT_PAGES = constantNumber('HV_CREATE_VP_DEPOSIT_PAGES');
const ARG_BYTES = 4;
const INDEX = fieldOf('mshv_create_vp', 'vp_index');
const INPUT = {
  bytes: 40,
  id: fieldOf('hv_create_vp', 'partition_id'),
  index: fieldOf('hv_create_vp', 'vp_index'),
};
const DELETE = {
  bytes: 16,
  id: fieldOf('hv_input_delete_vp', 'partition_id'),
  index: fieldOf('hv_input_delete_vp', 'vp_index'),
};

/** The partition that the call is about; the handler is only asked for those that the driver has. */
function target(context: Context, event: IoctlEvent): { readonly partition: bigint; readonly id: ObjectId } {
  const partition = event.handle.kind === 'partition' ? (event.handle.partition ?? 0n) : 0n;
  const id = partitionOf(context, partition);
  if (id === undefined) throw new Error(`partition ${partition} is not the driver's`);
  return { partition, id };
}

function enter(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
): DriverRun<Outcome> | Outcome {
  const index = readU32(arg, INDEX);
  const { partition, id } = target(context, event);
  if (index >= MAX_VPS) return { ret: failure('EINVAL'), rule: RULE };
  if (context.store.find(id, MSHV_VP, index) !== undefined) return { ret: failure('EEXIST'), rule: RULE };
  // The hypervisor is left to say that the partition is not initialised, after the deposit; else the driver would.
  const initialized = context.store.low(cellAt(id, MSHV_PARTITION.slots.initialized)) === 1;
  if (!initialized && !context.profile.quirks['create-vp-deposits-first'])
    return { ret: failure('EINVAL'), rule: RULE };
  return createOn(context, actor, event, id, { partition, index });
}

/** The VP, its pages, and the driver's own object for it. */
function* createOn(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  id: ObjectId,
  vp: VpId,
): DriverRun<Outcome> {
  const created = yield* createVp(context, actor, vp);
  if (created !== 0) return { ret: created, rule: RULE };
  const mapped = yield* mapPages(context, actor, vp);
  if (mapped.ret !== 0) {
    yield* deleteVp(actor, vp);
    return { ret: mapped.ret, rule: RULE };
  }
  if (hasNoFd(context, event)) {
    yield* unmapVpPages(context, actor, vp, mapped.parentStats);
    yield* deleteVp(actor, vp);
    return { ret: failure('EMFILE'), rule: NO_FD };
  }
  noteVp(context, event, id, vp.index, mapped.parentStats);
  return {
    ret: newFd(context, event),
    out: { handle: { kind: 'vp', partition: vp.partition, vp: vp.index } },
    rule: RULE,
  };
}

/** Whether the partition is initialised is the hypervisor's to say: the pages are deposited all the same. */
export function* createVp(context: Context, actor: Actor, vp: VpId): DriverRun<number> {
  const ret = yield* deposit(context, actor, vp.partition, DEPOSIT_PAGES);
  if (ret !== 0) return ret;
  const input = new Uint8Array(INPUT.bytes);
  writeField(input, INPUT.id, vp.partition);
  writeField(input, INPUT.index, vp.index);
  return (yield* hypercallWithMemory(context, actor, vp.partition, CREATE_VP, input)).ret;
}

/** The only place where a VP is deleted: afterwards it goes with its partition. */
function* deleteVp(actor: Actor, vp: VpId): DriverRun<void> {
  const input = new Uint8Array(DELETE.bytes);
  writeField(input, DELETE.id, vp.partition);
  writeField(input, DELETE.index, vp.index);
  yield* hypercall(actor, DELETE_VP, input, { fast: true });
}

/** State pages, then the statistics; a failure unmaps in reverse what was mapped. */
function* mapPages(
  context: Context,
  actor: Actor,
  vp: VpId,
): DriverRun<{ readonly ret: number; readonly parentStats: boolean }> {
  const intercept = yield* mapStatePage(context, actor, vp, INTERCEPT_PAGE);
  if (intercept !== 0) return { ret: intercept, parentStats: false };
  const registers = yield* mapStatePage(context, actor, vp, REGISTERS_PAGE);
  if (registers === 0) {
    const stats = yield* mapStats(context, actor, vp);
    if (stats.ret === 0) return stats;
    yield* unmapStatePage(actor, vp, REGISTERS_PAGE);
    yield* unmapStatePage(actor, vp, INTERCEPT_PAGE);
    return stats;
  }
  yield* unmapStatePage(actor, vp, INTERCEPT_PAGE);
  return { ret: registers, parentStats: false };
}

function* mapStats(
  context: Context,
  actor: Actor,
  vp: VpId,
): DriverRun<{ readonly ret: number; readonly parentStats: boolean }> {
  const self = yield* mapStatsPage(context, actor, vp, AREA_SELF);
  if (self !== 0) return { ret: self ?? 0, parentStats: false };
  const parent = yield* mapStatsPage(context, actor, vp, AREA_PARENT);
  if (parent === undefined || parent === 0) return { ret: 0, parentStats: parent === 0 };
  yield* unmapStatsPage(context, actor, vp, AREA_SELF);
  return { ret: parent, parentStats: false };
}

export function noteVp(
  context: Context,
  event: IoctlEvent,
  partition: ObjectId,
  index: number,
  parentStats: boolean,
): void {
  const { store } = context;
  const vp = store.create(partition, MSHV_VP, index);
  store.set(cellAt(vp, MSHV_VP.slots.files), 1);
  store.set(cellAt(vp, MSHV_VP.slots.creator), event.seq);
  if (parentStats) store.set(cellAt(vp, MSHV_VP.slots.parentStats), 1);
  const references = cellAt(partition, MSHV_PARTITION.slots.references);
  store.set(references, store.number(references) + 1);
}

/** The descriptor of a VP; its partition is that of the call's own descriptor. */
export function installVp(context: Context, event: IoctlEvent): void {
  const { handle, pid, ret } = event;
  if (typeof ret !== 'number' || ret < 0 || handle.kind !== 'partition') return;
  const partition = handle.partition;
  const id = partition === undefined ? undefined : partitionOf(context, partition);
  if (partition === undefined || id === undefined) return;
  const { store } = context;
  for (const vp of store.children(id, MSHV_VP)) {
    if (store.number(cellAt(vp, MSHV_VP.slots.creator)) !== event.seq) continue;
    installFd(context, pid, ret, { kind: 'vp', partition, vp: Number(store.key(vp)) });
  }
}

/** MSHV_CREATE_VP (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_partition_ioctl_create_vp). */
export const CREATE_VP_IOCTL: IoctlRow = {
  fd: 'partition',
  name: 'MSHV_CREATE_VP',
  argBytes: ARG_BYTES,
  enter,
  leave: installVp,
};
