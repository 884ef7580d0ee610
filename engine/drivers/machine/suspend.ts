import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { VMBUS } from '../cells/driver.ts';
import { driverState } from '../kernel/objects.ts';
import { CONNECT_CPU, disableRegisters, enableRegisters } from '../vmbus/cpu.ts';

/**
 * The system sleeps: by then only the boot CPU is online, and VMBus gives its pages up there; SCONTROL stays on (Linux
 * 7.2 drivers/hv/vmbus_drv.c, hv_synic_suspend, a system core operation).
 */
export function* suspend(context: Context): DriverRun<Outcome> {
  if (driverState(context, VMBUS) === 'running') yield* disableRegisters(context, CONNECT_CPU);
  return { ret: 0, rule: 'Linux.suspend' };
}

/** It wakes: the pages are on again, the SINT unmasked (hv_synic_resume). */
export function* resume(context: Context): DriverRun<Outcome> {
  if (driverState(context, VMBUS) === 'running') yield* enableRegisters(context, CONNECT_CPU);
  return { ret: 0, rule: 'Linux.resume' };
}
