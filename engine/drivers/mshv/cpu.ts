import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { FailStep } from '../../trace/event.ts';
import { MSHV, MSHV_CPU } from '../cells/driver.ts';
import { type Actor, readMsr, updateMsr, writeMsr } from '../kernel/access.ts';
import { usesAutoEoi } from '../kernel/aeoi.ts';
import { failure } from '../kernel/errno.ts';
import type { HotplugState } from '../kernel/hotplug.ts';
import { allocateFrames, driverOf } from '../kernel/objects.ts';
import {
  AS_INTERCEPT,
  AUTO_EOI,
  BASE_SHIFT,
  CALLBACK_VECTOR,
  disabled,
  enabled,
  MASKED,
  PLAIN_MSRS,
  SIRBP,
  withBase,
} from '../kernel/synic.ts';
import { ownershipOf } from './ownership.ts';

/** SINTs of mshv: intercepts and messages, and doorbells (Linux 7.2 include/hyperv). */
const INTERCEPT_SINT = PLAIN_MSRS.sint0;
const DOORBELL_SINT = PLAIN_MSRS.sint0 + 5;
const { simp: SIMP, siefp: SIEFP, scontrol: SCONTROL } = PLAIN_MSRS;

/** The page whose mapping fails, where one does. */
type MapFailure = Extract<FailStep, 'simp-map' | 'siefp-map' | 'sirbp-map'>;

export function isMapFailure(fail: FailStep | undefined): fail is MapFailure {
  return fail === 'simp-map' || fail === 'siefp-map' || fail === 'sirbp-map';
}

/**
 * Hotplug state mshv_synic (Linux drivers/hv/mshv_synic.c). Its accesses always go to the plain register file,
 * on a nested root too.
 */
export function mshvHotplug(fail?: MapFailure): HotplugState {
  return {
    cell: (context) => cellAt(driverOf(context, MSHV), MSHV.slots.hotplug),
    startup: (context, cpu) => startup(context, { component: 'mshv', cpu }, fail),
    teardown: (context, cpu) => teardown(context, { component: 'mshv', cpu }),
  };
}

/** The pages of the root scheduler: memory only, no register (hotplug state mshv_root_sched). */
export const SCHEDULER_HOTPLUG: HotplugState = {
  cell: (context) => cellAt(driverOf(context, MSHV), MSHV.slots.schedulerHotplug),
  startup: nothing,
  teardown: nothing,
};

function* nothing(): DriverRun<number> {
  yield* [];
  return 0;
}

function startup(context: Context, actor: Actor, fail: MapFailure | undefined): DriverRun<number> {
  const { mapsFirst } = ownershipOf(context);
  return mapsFirst ? startMappingFirst(context, actor, fail) : startEnablingFirst(context, actor, fail);
}

/**
 * Before the patch: each page is mapped and then enabled. When a mapping fails, what was enabled so far is
 * disabled again, with the values that were read: also where VMBus had enabled it before.
 */
function* startMappingFirst(context: Context, actor: Actor, fail: MapFailure | undefined): DriverRun<number> {
  const simp = enabled(yield* readMsr(actor, SIMP));
  if (fail === 'simp-map') return failure('EFAULT');
  yield* writeMsr(actor, SIMP, simp);
  const siefp = enabled(yield* readMsr(actor, SIEFP));
  if (fail === 'siefp-map') {
    yield* writeMsr(actor, SIMP, disabled(simp));
    return failure('EFAULT');
  }
  yield* writeMsr(actor, SIEFP, siefp);
  const sirbp = enabled(yield* readMsr(actor, SIRBP));
  if (fail === 'sirbp-map') {
    yield* writeMsr(actor, SIEFP, disabled(siefp));
    yield* writeMsr(actor, SIMP, disabled(simp));
    return failure('EFAULT');
  }
  yield* writeMsr(actor, SIRBP, sirbp);
  yield* unmaskSints(context, actor);
  yield* updateMsr(actor, SCONTROL, enabled);
  return 0;
}

/** From the patch on: a page is enabled before it is mapped, where it is mshv's to enable, and undone if that fails. */
function* startEnablingFirst(
  context: Context,
  actor: Actor,
  fail: MapFailure | undefined,
): DriverRun<number> {
  const { managesSynic, allocatesRing } = ownershipOf(context);
  const simp = yield* readMsr(actor, SIMP);
  if (managesSynic) yield* writeMsr(actor, SIMP, enabled(simp));
  if (fail === 'simp-map') {
    if (managesSynic) yield* writeMsr(actor, SIMP, disabled(simp));
    return failure('EFAULT');
  }
  const siefp = yield* readMsr(actor, SIEFP);
  if (managesSynic) yield* writeMsr(actor, SIEFP, enabled(siefp));
  const sirbp = fail === 'siefp-map' ? 0n : yield* readMsr(actor, SIRBP);
  if (fail !== undefined) {
    if (managesSynic) {
      yield* writeMsr(actor, SIEFP, disabled(siefp));
      yield* writeMsr(actor, SIMP, disabled(simp));
    }
    return failure('EFAULT');
  }
  if (allocatesRing) yield* placeRing(context, actor, sirbp);
  else yield* writeMsr(actor, SIRBP, enabled(sirbp));
  yield* unmaskSints(context, actor);
  if (managesSynic) yield* updateMsr(actor, SCONTROL, enabled);
  return 0;
}

/** On L1VH nobody provides a ring page: the driver allocates one. */
function* placeRing(context: Context, actor: Actor, value: bigint): DriverRun<void> {
  const own = allocateFrames(context, 1);
  const written = yield* writeMsr(actor, SIRBP, withBase(enabled(value), own), 'kernel-page');
  const { store } = context;
  const mshv = driverOf(context, MSHV);
  const page = store.find(mshv, MSHV_CPU, actor.cpu) ?? store.create(mshv, MSHV_CPU, actor.cpu);
  store.set(cellAt(page, MSHV_CPU.slots.sirbp), written >> BASE_SHIFT);
}

function* unmaskSints(context: Context, actor: Actor): DriverRun<void> {
  const live = CALLBACK_VECTOR | (usesAutoEoi(context) ? AUTO_EOI : 0n);
  yield* writeMsr(actor, INTERCEPT_SINT, live);
  yield* writeMsr(actor, DOORBELL_SINT, live | AS_INTERCEPT);
}

function* teardown(context: Context, actor: Actor): DriverRun<number> {
  const { managesSynic, allocatesRing } = ownershipOf(context);
  yield* updateMsr(actor, INTERCEPT_SINT, (value) => value | MASKED);
  yield* updateMsr(actor, DOORBELL_SINT, (value) => value | MASKED);
  if (allocatesRing) {
    yield* updateMsr(actor, SIRBP, (value) => withBase(disabled(value), 0n));
    const page = context.store.find(driverOf(context, MSHV), MSHV_CPU, actor.cpu);
    if (page !== undefined) context.store.destroy(page);
  } else {
    yield* updateMsr(actor, SIRBP, disabled);
  }
  if (!managesSynic) return 0;
  yield* updateMsr(actor, SIEFP, disabled);
  yield* updateMsr(actor, SIMP, disabled);
  yield* updateMsr(actor, SCONTROL, disabled);
  return 0;
}
