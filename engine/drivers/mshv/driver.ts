import { constantNumber, fieldOf, readU32, readU64, writeField } from '../../abi/index.ts';
import { cellAt, knownOr } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { FailStep } from '../../trace/event.ts';
import { MSHV, MSHV_PARTITION } from '../cells/driver.ts';
import { SYSTEM } from '../cells/system.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { freeNumber, type HotplugState, installState, removeState } from '../kernel/hotplug.ts';
import { hypercall, hypercallCode } from '../kernel/hypercall.ts';
import {
  beginDriver,
  driverOf,
  driverState,
  isParent,
  isRoot,
  setDriverState,
  systemOf,
} from '../kernel/objects.ts';
import { remark } from '../kernel/step.ts';
import { isMapFailure, mshvHotplug, SCHEDULER_HOTPLUG } from './cpu.ts';
import { hideStatistics, showStatistics } from './debugfs.ts';
import { SELF } from './partition-id.ts';

const GET_PROPERTY_EX = hypercallCode('GET_PARTITION_PROPERTY_EX');
const GET_SYSTEM_PROPERTY = hypercallCode('GET_SYSTEM_PROPERTY');
const PROPERTY = {
  bytes: 24,
  id: fieldOf('hv_input_get_partition_property_ex', 'partition_id'),
  code: fieldOf('hv_input_get_partition_property_ex', 'property_code'),
};
const SYSTEM_PROPERTY = {
  bytes: 16,
  id: fieldOf('hv_input_get_system_property', 'property_id'),
  scheduler: fieldOf('hv_output_get_system_property', 'scheduler_type'),
};
const VMM_CAPABILITIES = constantNumber('HV_PARTITION_PROPERTY_VMM_CAPABILITIES');
const INTEGRATED_SCHEDULER = constantNumber('HV_PARTITION_PROPERTY_INTEGRATED_SCHEDULER_ENABLED');
const CAPABILITY_BITS = fieldOf('hv_partition_property_vmm_capabilities', 'as_uint64');
const INTEGRATED = fieldOf('hv_partition_property_vmm_capabilities', 'vmm_enable_integrated_scheduler');
const VALUE = { ...CAPABILITY_BITS, offset: 0 };
const SCHEDULER_TYPE = constantNumber('HV_SYSTEM_PROPERTY_SCHEDULER_TYPE');
const CORE_SMT = constantNumber('HV_SCHEDULER_TYPE_CORE_SMT');
const ROOT = constantNumber('HV_SCHEDULER_TYPE_ROOT');

const VERSION_LEAF = 0x4000_0002;
/** Builds of the hypervisor that the driver has been tried on (MSHV_HV_MIN_VERSION, MSHV_HV_MAX_VERSION). */
const BUILDS = [27744, 27751] as const;

/** A build of the hypervisor that is not known is worth a line in the log. */
function* warnOfBuild({ profile }: Context, { cpu }: Actor): DriverRun<void> {
  const leaf = profile.cpuid.get(VERSION_LEAF);
  if (leaf === undefined || (leaf.eax >= BUILDS[0] && leaf.eax <= BUILDS[1])) return;
  yield remark(
    'mshv',
    cpu,
    `Running on unvalidated Hyper-V version ${leaf.eax} (${BUILDS[0]} to ${BUILDS[1]})`,
  );
}

/** Not a kernel that can have partitions, or one that is known only to save what a crash left. */
function isRefused(context: Context): boolean {
  const crashKernel = cellAt(systemOf(context), SYSTEM.slots.crashKernel);
  return !isParent(context) || knownOr(context, crashKernel, 0n) === 1n;
}

/**
 * Linux 7.2 drivers/hv/mshv_root_main.c, mshv_parent_partition_init. Linux 7.0 registers its notifier after it has asked
 * the hypervisor, which nobody can see.
 */
export function* startMshv(
  context: Context,
  states: readonly HotplugState[],
  actor: Actor,
  cpus: readonly number[] | undefined,
  fail: FailStep | undefined,
): DriverRun<Outcome> {
  const outcome = (ret: number): Outcome => ({ ret, rule: 'Linux.mshv.start' });
  if (isRefused(context)) return outcome(failure('ENODEV'));
  if (driverState(context, MSHV) === 'running') return outcome(failure('EEXIST'));
  beginDriver(context, MSHV);
  yield* warnOfBuild(context, actor);
  // The last state that is asked for is that of the root scheduler, where there is one.
  if (fail === 'cpuhp' && context.profile.scheduler !== 'root') return outcome(failure('ENOSPC'));
  const hotplug = mshvHotplug(isMapFailure(fail) ? fail : undefined);
  const installed = yield* installState(context, hotplug, freeNumber(context, states), cpus);
  if (installed !== 0) return outcome(installed);
  const notifies = context.profile.rebootNotifier === 'always' || isRoot(context);
  setCell(context, MSHV.slots.notifier, notifies ? 1 : 0);
  const ret = yield* startUpper(context, states, actor, cpus, fail);
  if (ret !== 0) {
    setCell(context, MSHV.slots.notifier, 0);
    yield* removeState(context, hotplug, cpus);
  }
  return outcome(ret);
}

/**
 * What needs the SynIC: the hypervisor is asked, pages of the root scheduler, statistics, a work queue, which is the last that is
 * allocated. A failure unwinds in reverse.
 */
function* startUpper(
  context: Context,
  states: readonly HotplugState[],
  actor: Actor,
  cpus: readonly number[] | undefined,
  fail: FailStep | undefined,
): DriverRun<number> {
  const asked = yield* askHypervisor(context, actor);
  if (asked !== 0) return asked;
  const schedules = context.store.number(cellAt(driverOf(context, MSHV), MSHV.slots.scheduler)) === ROOT;
  if (schedules && fail === 'cpuhp') return failure('ENOSPC');
  if (schedules) yield* installState(context, SCHEDULER_HOTPLUG, freeNumber(context, states), cpus);
  setDriverState(context, MSHV, 'running');
  let ret = yield* showStatistics(context, actor);
  if (ret === 0 && fail === 'alloc') {
    yield* hideStatistics(context, actor);
    ret = failure('ENOMEM');
  }
  if (ret === 0) return 0;
  setDriverState(context, MSHV, 'stopped');
  if (schedules) yield* removeState(context, SCHEDULER_HOTPLUG, cpus);
  return ret;
}

function setCell(context: Context, slot: number, value: number | bigint): void {
  context.store.set(cellAt(driverOf(context, MSHV), slot), value);
}

/** What a VMM may do on this partition, and the type of scheduler. Only an L1VH partition insists on the first. */
function* askHypervisor(context: Context, actor: Actor): DriverRun<number> {
  const root = isRoot(context);
  // Linux 6.16 takes it that an L1VH partition has the core scheduler, and asks for nothing that it may do.
  if (context.profile.kernel === 'upstream-6.16' && !root) {
    setCell(context, MSHV.slots.scheduler, CORE_SMT);
    return 0;
  }
  if (context.profile.kernel === 'upstream-6.16') return yield* askScheduler(context, actor);
  const capabilities = yield* getProperty(actor, VMM_CAPABILITIES);
  const ret = errnoOf(capabilities, context.profile);
  if (ret !== 0 && !root) return ret;
  const bytes = capabilities.output ?? new Uint8Array(0);
  setCell(context, MSHV.slots.capabilities, ret === 0 ? readU64(bytes, CAPABILITY_BITS) : 0n);
  if (root) return yield* askScheduler(context, actor);
  let scheduler = CORE_SMT;
  if (readU32(bytes, INTEGRATED) === 1) {
    const enabled = yield* getProperty(actor, INTEGRATED_SCHEDULER);
    const failed = errnoOf(enabled, context.profile);
    if (failed !== 0) return failed;
    if (readU64(enabled.output ?? new Uint8Array(0), VALUE) !== 0n) scheduler = ROOT;
  }
  setCell(context, MSHV.slots.scheduler, scheduler);
  return 0;
}

function* getProperty(actor: Actor, code: number) {
  const input = new Uint8Array(PROPERTY.bytes);
  writeField(input, PROPERTY.id, SELF);
  writeField(input, PROPERTY.code, code);
  return yield* hypercall(actor, GET_PROPERTY_EX, input);
}

function* askScheduler(context: Context, actor: Actor): DriverRun<number> {
  const input = new Uint8Array(SYSTEM_PROPERTY.bytes);
  writeField(input, SYSTEM_PROPERTY.id, SCHEDULER_TYPE);
  const answer = yield* hypercall(actor, GET_SYSTEM_PROPERTY, input);
  const ret = errnoOf(answer, context.profile);
  if (ret !== 0) return ret;
  const type = readU32(answer.output ?? new Uint8Array(0), SYSTEM_PROPERTY.scheduler);
  setCell(context, MSHV.slots.scheduler, type);
  return type >= 1 && type <= ROOT ? 0 : failure('EOPNOTSUPP');
}

/** The module cannot go while one of its files is open; else what it set up goes in reverse (mshv_parent_partition_exit). */
export function* stopMshv(context: Context, actor: Actor, cpus?: readonly number[]): DriverRun<Outcome> {
  const rule = 'Linux.mshv.stop';
  if (driverState(context, MSHV) !== 'running') return { ret: failure('ENOENT'), rule };
  if (cpus !== undefined) {
    yield* removeState(context, mshvHotplug(), cpus);
    return { ret: 0, rule };
  }
  if (context.store.children(driverOf(context, MSHV), MSHV_PARTITION).length > 0) {
    return { ret: failure('EAGAIN'), rule };
  }
  yield* hideStatistics(context, actor);
  yield* removeState(context, SCHEDULER_HOTPLUG);
  yield* removeSynic(context);
  setDriverState(context, MSHV, 'stopped');
  return { ret: 0, rule };
}

function* removeSynic(context: Context): DriverRun<void> {
  setCell(context, MSHV.slots.notifier, 0);
  yield* removeState(context, mshvHotplug());
}

/**
 * The reboot notifier gives up the SynIC of each CPU (Linux 7.2 drivers/hv/mshv_synic.c, mshv_synic_reboot_notify); from
 * 7.2 on the pages with statistics go first, so that the next kernel does not find them in its memory.
 */
export function* notifyOfReboot(context: Context, actor: Actor): DriverRun<void> {
  if (context.profile.kernel === 'upstream-7.2') yield* hideStatistics(context, actor);
  yield* removeSynic(context);
}

/** Whether mshv hears of a reboot or kexec. */
export function hasNotifier(context: Context): boolean {
  return context.store.low(cellAt(driverOf(context, MSHV), MSHV.slots.notifier)) === 1;
}
