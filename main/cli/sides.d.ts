import type { Sides } from '../../engine/machine/machine.ts';
/** The two sides of the hypervisor; they have no state, so one pair serves the whole process. */
export declare const SIDES: Sides;
