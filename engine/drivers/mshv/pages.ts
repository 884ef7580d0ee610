import { constantNumber, type FieldHandle, fieldOf, statuses, writeField } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { MSHV } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf } from '../kernel/errno.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import { allocateFrames, driverOf, driverState } from '../kernel/objects.ts';
import { hypercallWithMemory } from './deposit.ts';
import { SELF } from './partition-id.ts';

/** Pages that show a VP to its parent (Linux 7.2 drivers/hv/mshv_root_hv_call.c). */

const MAP_STATE = hypercallCode('MAP_VP_STATE_PAGE');
const UNMAP_STATE = hypercallCode('UNMAP_VP_STATE_PAGE');
const MAP_STATS = hypercallCode('MAP_STATS_PAGE');
const MAP_STATS_AT = hypercallCode('MAP_STATS_PAGE2');
const UNMAP_STATS = hypercallCode('UNMAP_STATS_PAGE');

const STATE = {
  bytes: 24,
  id: fieldOf('hv_input_map_vp_state_page', 'partition_id'),
  index: fieldOf('hv_input_map_vp_state_page', 'vp_index'),
  type: fieldOf('hv_input_map_vp_state_page', 'type'),
  provided: fieldOf('hv_input_map_vp_state_page', 'flags.map_location_provided'),
  location: fieldOf('hv_input_map_vp_state_page', 'requested_map_location'),
};
const UNMAP_STATE_BYTES = 16;
const STATS = {
  bytes: 24,
  type: fieldOf('hv_input_map_stats_page', 'type'),
  id: fieldOf('hv_input_map_stats_page', 'identity.vp.partition_id'),
  index: fieldOf('hv_input_map_stats_page', 'identity.vp.vp_index'),
  processor: fieldOf('hv_input_map_stats_page', 'identity.lp.lp_index'),
  area: fieldOf('hv_input_map_stats_page', 'identity.vp.stats_area_type'),
};
const STATS_AT = { bytes: 32, location: fieldOf('hv_input_map_stats_page2', 'map_location') };

export const REGISTERS_PAGE = constantNumber('HV_VP_STATE_PAGE_REGISTERS');
export const INTERCEPT_PAGE = constantNumber('HV_VP_STATE_PAGE_INTERCEPT_MESSAGE');
export const AREA_SELF = constantNumber('HV_STATS_AREA_SELF');
export const AREA_PARENT = constantNumber('HV_STATS_AREA_PARENT');
const OBJECTS = {
  hypervisor: constantNumber('HV_STATS_OBJECT_HYPERVISOR'),
  processor: constantNumber('HV_STATS_OBJECT_LOGICAL_PROCESSOR'),
  partition: constantNumber('HV_STATS_OBJECT_PARTITION'),
  vp: constantNumber('HV_STATS_OBJECT_VP'),
} as const;
const INVALID_PARAMETER = statuses.number('INVALID_PARAMETER');
const OVERLAY_CAPABILITY = 1n << 1n;

/** A VP of a partition. */
export interface VpId {
  readonly partition: bigint;
  readonly index: number;
}

/** What there are statistics of: a VP unless said otherwise. */
export type StatsObject =
  | VpId
  | { readonly object: 'hypervisor' }
  | { readonly object: 'processor'; readonly index: number }
  | { readonly object: 'partition'; readonly partition: bigint };

/**
 * An L1VH partition gives the frames itself where the hypervisor lets it (mshv_use_overlay_gpfn); Linux 6.16 did not
 * ask. A driver whose start is not in the trace has been told so.
 */
function givesFrames(context: Context): boolean {
  const { role, kernel } = context.profile;
  if (role !== 'l1vh' || kernel === 'upstream-6.16') return false;
  if (driverState(context, MSHV) !== 'running') return true;
  const capabilities = cellAt(driverOf(context, MSHV), MSHV.slots.capabilities);
  return (context.store.get(capabilities) & OVERLAY_CAPABILITY) !== 0n;
}

function wholeField(field: FieldHandle): readonly [number, number] {
  return [field.offset, field.offset + field.size];
}

function stateInput(vp: VpId, type: number, bytes: number): Uint8Array {
  const input = new Uint8Array(bytes);
  writeField(input, STATE.id, vp.partition);
  writeField(input, STATE.index, vp.index);
  writeField(input, STATE.type, type);
  return input;
}

export function* mapStatePage(context: Context, actor: Actor, vp: VpId, type: number): DriverRun<number> {
  const input = stateInput(vp, type, STATE.bytes);
  if (!givesFrames(context)) {
    return (yield* hypercallWithMemory(context, actor, vp.partition, MAP_STATE, input)).ret;
  }
  writeField(input, STATE.provided, 1);
  writeField(input, STATE.location, allocateFrames(context, 1));
  const bound = wholeField(STATE.location);
  const options = { bind: 'kernel-page', bound } as const;
  return (yield* hypercallWithMemory(context, actor, vp.partition, MAP_STATE, input, options)).ret;
}

export function* unmapStatePage(actor: Actor, vp: VpId, type: number): DriverRun<void> {
  yield* hypercall(actor, UNMAP_STATE, stateInput(vp, type, UNMAP_STATE_BYTES));
}

function statsInput(of: StatsObject, area: number, bytes: number): Uint8Array {
  const input = new Uint8Array(bytes);
  writeField(input, STATS.type, OBJECTS['object' in of ? of.object : 'vp']);
  if ('partition' in of) writeField(input, STATS.id, of.partition);
  if ('index' in of) writeField(input, 'partition' in of ? STATS.index : STATS.processor, of.index);
  writeField(input, STATS.area, area);
  return input;
}

/** Undefined: this hypervisor has no such area, which is no failure (hv_call_map_stats_page). */
export function* mapStatsPage(
  context: Context,
  actor: Actor,
  of: StatsObject,
  area: number,
): DriverRun<number | undefined> {
  if (givesFrames(context)) {
    const input = statsInput(of, area, STATS_AT.bytes);
    writeField(input, STATS_AT.location, allocateFrames(context, 1));
    const options = { bind: 'kernel-page', bound: wholeField(STATS_AT.location) } as const;
    return (yield* hypercallWithMemory(context, actor, SELF, MAP_STATS_AT, input, options)).ret;
  }
  const input = statsInput(of, area, STATS.bytes);
  const { ret, answer } = yield* hypercallWithMemory(context, actor, SELF, MAP_STATS, input);
  return area === AREA_PARENT && answer.result.status === INVALID_PARAMETER ? undefined : ret;
}

export function* unmapStatsPage(
  context: Context,
  actor: Actor,
  of: StatsObject,
  area: number,
): DriverRun<number> {
  const answer = yield* hypercall(actor, UNMAP_STATS, statsInput(of, area, STATS.bytes));
  return errnoOf(answer, context.profile);
}

/** All that the driver has mapped of a VP: statistics first, then the state pages. */
export function* unmapVpPages(
  context: Context,
  actor: Actor,
  vp: VpId,
  parentStats: boolean,
): DriverRun<void> {
  yield* unmapStatsPage(context, actor, vp, AREA_SELF);
  if (parentStats) yield* unmapStatsPage(context, actor, vp, AREA_PARENT);
  yield* unmapStatePage(actor, vp, REGISTERS_PAGE);
  yield* unmapStatePage(actor, vp, INTERCEPT_PAGE);
}
