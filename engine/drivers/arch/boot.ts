import { msrs } from '../../abi/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Profile } from '../../trace/profile.ts';
import { ARCH } from '../cells/driver.ts';
import { type Actor, readMsr, updateMsr, writeMsr } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import { FIRST_STATE, installState, removeState } from '../kernel/hotplug.ts';
import { allocateFrames, beginDriver, driverState, isRoot, setDriverState } from '../kernel/objects.ts';
import { disabled, enabled, withBase } from '../kernel/synic.ts';
import { ARCH_HOTPLUG } from './cpu.ts';

const GUEST_OS_ID = msrs.number('GUEST_OS_ID');
const HYPERCALL = msrs.number('HYPERCALL');
const REFERENCE_TSC = msrs.number('REFERENCE_TSC');

/** Identity of a Linux guest: 0x8100 in bits 48..63, the kernel's version from bit 16 on (TLFS, guest OS identity). */
const LINUX_VENDOR = 0x8100n << 48n;
const VERSION_SHIFT = 16n;

/** major << 16 | minor << 8, as LINUX_VERSION_CODE has it. */
const VERSIONS: Readonly<Record<Profile['kernel'], bigint>> = {
  'upstream-7.2': 0x07_02_00n,
  'upstream-7.0': 0x07_00_00n,
  'upstream-6.16': 0x06_10_00n,
  rfc2020: 0x05_0a_00n,
  vtl: 0x07_02_00n,
  unknown: 0n,
};

/**
 * The kernel makes itself known to the hypervisor (Linux 7.2 arch/x86/hyperv/hv_init.c, hyperv_init): each
 * CPU's assist page, then the guest's identity, then the hypercall page, which on a root is the hypervisor's.
 */
export function* startArch(context: Context, boot: number): DriverRun<number> {
  if (driverState(context, ARCH) === 'running') return failure('EEXIST');
  beginDriver(context, ARCH);
  const ret = yield* installState(context, ARCH_HOTPLUG, FIRST_STATE);
  if (ret !== 0) return ret;
  const actor: Actor = { component: 'arch', cpu: boot };
  const identity = LINUX_VENDOR | (VERSIONS[context.profile.kernel] << VERSION_SHIFT);
  yield* writeMsr(actor, GUEST_OS_ID, identity);
  const page = yield* readMsr(actor, HYPERCALL);
  if (isRoot(context)) {
    yield* writeMsr(actor, HYPERCALL, enabled(page));
  } else {
    const frame = allocateFrames(context, 1);
    yield* writeMsr(actor, HYPERCALL, withBase(enabled(page), frame), 'kernel-page');
  }
  setDriverState(context, ARCH, 'running');
  return 0;
}

/** The state of each CPU goes, then the last clean-up on the CPU that stays (hv_machine_shutdown). */
export function* stopArch(context: Context, last: number): DriverRun<number> {
  if (driverState(context, ARCH) === 'running') yield* removeState(context, ARCH_HOTPLUG);
  yield* cleanUp({ component: 'arch', cpu: last });
  setDriverState(context, ARCH, 'stopped');
  return 0;
}

/** Linux 7.2 arch/x86/hyperv/hv_init.c, hyperv_cleanup: identity, hypercall page and reference TSC page off. */
export function* cleanUp(actor: Actor): DriverRun<void> {
  yield* writeMsr(actor, GUEST_OS_ID, 0n);
  yield* updateMsr(actor, HYPERCALL, disabled);
  yield* updateMsr(actor, REFERENCE_TSC, disabled);
}
