import { constantNumber } from '../../abi/index.ts';
import { cellAt, knownOr } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { MSHV } from '../cells/driver.ts';
import { driverOf } from '../kernel/objects.ts';

const ROOT_SCHEDULER = constantNumber('HV_SCHEDULER_TYPE_ROOT');

/** The type that the hypervisor named, or the profile where the driver's start is not in the trace. */
export function hasRootScheduler(context: Context): boolean {
  const type = Number(knownOr(context, cellAt(driverOf(context, MSHV), MSHV.slots.scheduler), 0n));
  return type === 0 ? context.profile.scheduler === 'root' : type === ROOT_SCHEDULER;
}
