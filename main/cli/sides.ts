import { createDrivers } from '../../engine/drivers/index.ts';
import { createHypervisor } from '../../engine/hypervisor/index.ts';
import type { Sides } from '../../engine/machine/machine.ts';

/** The two sides of the hypervisor; they have no state, so one pair serves the whole process. */
export const SIDES: Sides = { hypervisor: createHypervisor(), drivers: createDrivers() };
