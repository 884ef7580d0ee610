import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { resumeArch, suspendArch } from '../arch/suspend.ts';
import { VMBUS } from '../cells/driver.ts';
import { failure } from '../kernel/errno.ts';
import { driverState, isRoot } from '../kernel/objects.ts';
import { disableRegisters, enableRegisters } from '../vmbus/cpu.ts';
import { CONNECT_CPU } from '../vmbus/sint.ts';

/**
 * The system sleeps: by then only the boot CPU is online, and what its drivers have there goes in the reverse of the order
 * in which they came. VMBus gives its pages up, SCONTROL stays on (Linux 7.2 drivers/hv/vmbus_drv.c, hv_synic_suspend);
 * the kernel its hypercall page (arch/x86/hyperv/hv_init.c, hv_suspend). A root cannot: VMBus comes back at once.
 */
export function* suspend(context: Context): DriverRun<Outcome> {
  const rule = 'Linux.suspend';
  const hasVmbus = driverState(context, VMBUS) === 'running';
  if (hasVmbus) yield* disableRegisters(context, CONNECT_CPU);
  if (isRoot(context)) {
    if (hasVmbus) yield* enableRegisters(context, CONNECT_CPU);
    return { ret: failure('EPERM'), rule };
  }
  yield* suspendArch(context);
  return { ret: 0, rule };
}

/** It wakes: the other way round (hv_resume, hv_synic_resume). */
export function* resume(context: Context): DriverRun<Outcome> {
  yield* resumeArch(context);
  if (driverState(context, VMBUS) === 'running') yield* enableRegisters(context, CONNECT_CPU);
  return { ret: 0, rule: 'Linux.resume' };
}
