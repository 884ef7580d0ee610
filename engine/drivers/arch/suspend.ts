import { msrs } from '../../abi/index.ts';
import type { DriverRun } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { ARCH } from '../cells/driver.ts';
import { updateMsr } from '../kernel/access.ts';
import { driverState } from '../kernel/objects.ts';
import { disabled, enabled } from '../kernel/synic.ts';
import { ARCH_HOTPLUG } from './cpu.ts';
import { tellAgain } from './reenlightenment.ts';

const HYPERCALL = msrs.number('HYPERCALL');
/** The CPU that stays to the end, and comes first. */
const BOOT = 0;
const ACTOR = { component: 'arch', cpu: BOOT } as const;

/** The hypercall page, then what the boot CPU has (Linux 7.2 arch/x86/hyperv/hv_init.c, hv_suspend). */
export function* suspendArch(context: Context): DriverRun<void> {
  if (driverState(context, ARCH) !== 'running') return;
  yield* updateMsr(ACTOR, HYPERCALL, disabled);
  yield* ARCH_HOTPLUG.teardown(context, BOOT);
}

/** The boot CPU, then the page where it was (hv_resume). */
export function* resumeArch(context: Context): DriverRun<void> {
  if (driverState(context, ARCH) !== 'running') return;
  yield* ARCH_HOTPLUG.startup(context, BOOT);
  yield* updateMsr(ACTOR, HYPERCALL, enabled);
  yield* tellAgain(context, BOOT);
}
