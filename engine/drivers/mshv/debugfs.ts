import { constantNumber, fieldOf, lowHalf, readU32, readU64 } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, HypercallRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { HypercallEvent } from '../../trace/event.ts';
import { MSHV, MSHV_PARTITION, MSHV_STATISTICS } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { hypercallCode } from '../kernel/hypercall.ts';
import { driverOf, driverState, isRoot, onlineCpus } from '../kernel/objects.ts';
import { remark } from '../kernel/step.ts';
import { AREA_PARENT, AREA_SELF, mapStatsPage, type StatsObject, unmapStatsPage } from './pages.ts';
import { ownPartition } from './partition-id.ts';

/** What the driver shows under /sys/kernel/debug/mshv, as far as the hypervisor is asked (Linux 7.2 drivers/hv/mshv_debugfs.c). */

const MAP_STATS_PAGE = hypercallCode('MAP_STATS_PAGE');
const MAP_STATS_PAGE2 = hypercallCode('MAP_STATS_PAGE2');
const CODE = 0xffff;
const TYPE = fieldOf('hv_input_map_stats_page', 'type');
const OF = fieldOf('hv_input_map_stats_page', 'identity.partition.partition_id');
const OF_PARTITION = constantNumber('HV_STATS_OBJECT_PARTITION');
const OF_HYPERVISOR = constantNumber('HV_STATS_OBJECT_HYPERVISOR');

const HYPERVISOR: StatsObject = { object: 'hypervisor' };

/** Linux 7.0 and later, where the kernel has debugfs. */
function isBuilt({ profile }: Context): boolean {
  return profile.debugfs && (profile.kernel === 'upstream-7.2' || profile.kernel === 'upstream-7.0');
}

function shown(context: Context) {
  return cellAt(driverOf(context, MSHV), MSHV.slots.debugfs);
}

/** Processors are counted on the hypervisor's page, which is not in the trace: profile `processors`. */
function processorsOf({ profile }: Context): StatsObject[] {
  return Array.from({ length: profile.processors || profile.cpus }, (_, index) => ({
    object: 'processor',
    index,
  }));
}

interface Mapped {
  readonly ret: number;
  readonly parent: boolean;
}

/** Its own page and the parent's, where `both`; undone where the second fails. */
function* mapBoth(context: Context, actor: Actor, of: StatsObject, both: boolean): DriverRun<Mapped> {
  const self = yield* mapStatsPage(context, actor, of, AREA_SELF);
  if (self !== 0 || !both) return { ret: self ?? 0, parent: false };
  const parent = yield* mapStatsPage(context, actor, of, AREA_PARENT);
  if (parent === undefined || parent === 0) return { ret: 0, parent: parent === 0 };
  yield* unmapStatsPage(context, actor, of, AREA_SELF);
  return { ret: parent, parent: false };
}

/** Of a partition the parent's page goes first, of a VP its own. */
function* unmapPartition(context: Context, actor: Actor, of: StatsObject, parent: boolean): DriverRun<void> {
  if (parent) yield* unmapStatsPage(context, actor, of, AREA_PARENT);
  yield* unmapStatsPage(context, actor, of, AREA_SELF);
}

/** mshv_debugfs_init: on a root the hypervisor and each processor; the own partition and the VP of each CPU that is online. */
export function* showStatistics(context: Context, actor: Actor): DriverRun<number> {
  if (!isBuilt(context)) return 0;
  const done: StatsObject[] = [];
  for (const of of isRoot(context) ? [HYPERVISOR, ...processorsOf(context)] : []) {
    const ret = (yield* mapStatsPage(context, actor, of, AREA_SELF)) ?? 0;
    if (ret !== 0) {
      yield* hideMachine(context, actor, done);
      return ret;
    }
    done.push(of);
  }
  const ret = yield* showOwnPartition(context, actor);
  if (ret !== 0) yield* hideMachine(context, actor, done);
  else context.store.set(shown(context), 1);
  return ret;
}

/** Processors in their order, the hypervisor last. */
function* hideMachine(context: Context, actor: Actor, done: readonly StatsObject[]): DriverRun<void> {
  for (const of of done.slice(1)) yield* unmapStatsPage(context, actor, of, AREA_SELF);
  if (done.length > 0) yield* unmapStatsPage(context, actor, HYPERVISOR, AREA_SELF);
}

function own(context: Context): StatsObject {
  return { object: 'partition', partition: ownPartition(context) };
}

/** mshv_debugfs_parent_partition_create. An L1VH partition may not see its parent's pages about itself. */
function* showOwnPartition(context: Context, actor: Actor): DriverRun<number> {
  const { store } = context;
  const both = isRoot(context);
  const partition = yield* mapBoth(context, actor, own(context), both);
  if (partition.ret !== 0) return partition.ret;
  for (const cpu of onlineCpus(context)) {
    const vp = yield* mapBoth(context, actor, { partition: ownPartition(context), index: cpu }, both);
    if (vp.ret !== 0) {
      yield* hideOwnVps(context, actor);
      yield* unmapPartition(context, actor, own(context), partition.parent);
      return vp.ret;
    }
    const statistics = store.create(driverOf(context, MSHV), MSHV_STATISTICS, cpu);
    if (vp.parent) store.set(cellAt(statistics, MSHV_STATISTICS.slots.parent), 1);
  }
  return 0;
}

function* hideOwnVps(context: Context, actor: Actor): DriverRun<void> {
  const { store } = context;
  const mshv = driverOf(context, MSHV);
  for (const cpu of onlineCpus(context)) {
    const id = store.find(mshv, MSHV_STATISTICS, cpu);
    // The list of what is shown was made when the module was loaded: Linux reads through an empty entry here.
    if (id === undefined) {
      yield remark(
        'mshv',
        actor.cpu,
        `CPU ${cpu} came after its statistics were looked for: Linux would stop here`,
      );
      continue;
    }
    const vp = { partition: ownPartition(context), index: cpu };
    yield* unmapStatsPage(context, actor, vp, AREA_SELF);
    if (store.low(cellAt(id, MSHV_STATISTICS.slots.parent)) === 1) {
      yield* unmapStatsPage(context, actor, vp, AREA_PARENT);
    }
  }
  for (const id of store.children(mshv, MSHV_STATISTICS)) store.destroy(id);
}

/** mshv_debugfs_exit. A CPU that is offline by now keeps its pages. */
export function* hideStatistics(context: Context, actor: Actor): DriverRun<void> {
  const { store } = context;
  if (store.low(shown(context)) === 0) return;
  store.set(shown(context), 0);
  yield* hideOwnVps(context, actor);
  yield* unmapPartition(context, actor, own(context), isRoot(context));
  if (isRoot(context)) yield* hideMachine(context, actor, [HYPERVISOR, ...processorsOf(context)]);
}

/**
 * The hypervisor's statistics, and those of the own partition, are mapped for nobody else: where the driver's start is not in the
 * trace, that they are says that the driver shows statistics.
 */
export function statisticsMapped(context: Context, call: HypercallRequest | HypercallEvent): void {
  const { control, input, vp } = call;
  if (vp !== undefined || input === undefined || input.length < OF.offset + OF.size) return;
  const code = lowHalf(control) & CODE;
  if (code !== MAP_STATS_PAGE && code !== MAP_STATS_PAGE2) return;
  const type = readU32(input, TYPE);
  const isOwn = type === OF_PARTITION && readU64(input, OF) === ownPartition(context);
  if (!isOwn && type !== OF_HYPERVISOR) return;
  if (driverState(context, MSHV) === 'unseen') context.store.set(shown(context), 1);
}

/** mshv_debugfs_partition_create: those of a partition, once it is initialised. */
export function* showPartition(
  context: Context,
  actor: Actor,
  id: ObjectId,
  partition: bigint,
): DriverRun<number> {
  const { store } = context;
  if (store.low(shown(context)) === 0) return 0;
  const { ret, parent } = yield* mapBoth(context, actor, { object: 'partition', partition }, true);
  if (ret !== 0) return ret;
  const { statistics } = MSHV_PARTITION.slots;
  store.set(cellAt(id, statistics.shown), 1);
  if (parent) store.set(cellAt(id, statistics.parent), 1);
  return 0;
}

/** mshv_debugfs_partition_remove: before the partition is finalized. */
export function* hidePartition(
  context: Context,
  actor: Actor,
  id: ObjectId,
  partition: bigint,
): DriverRun<void> {
  const { store } = context;
  const { statistics } = MSHV_PARTITION.slots;
  if (store.low(shown(context)) === 0 || store.low(cellAt(id, statistics.shown)) === 0) return;
  const parent = store.low(cellAt(id, statistics.parent)) === 1;
  yield* unmapPartition(context, actor, { object: 'partition', partition }, parent);
}
