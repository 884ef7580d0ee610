import type { Context } from '../machine/context.ts';
import { type CellId, TOP } from '../state/store.ts';
import { ARCH, DRIVER, MSHV, VMBUS } from './cells/driver.ts';
import { SYSTEM } from './cells/system.ts';

/** What the kernel keeps, before the first event. */
export function initialise(context: Context): void {
  if (context.profile.initial === 'unknown') createUnseenState(context);
  else {
    context.store.create(TOP, SYSTEM, 0);
    createDriverState(context);
  }
}

/** The recording began mid-life: what the drivers keep is not known until an event tells. */
function createUnseenState(context: Context): void {
  context.store.createUnknown(TOP, SYSTEM, 0);
  createUnseenDrivers(context);
}

/** Drivers of which nothing is known; those that were there are gone. */
export function createUnseenDrivers({ store }: Context): void {
  const driver = store.create(TOP, DRIVER, 0);
  for (const kind of [ARCH, VMBUS, MSHV]) {
    const id = store.createUnknown(driver, kind, 0);
    for (let slot = 1; slot < kind.info.length; slot++) {
      const cell = (id + slot) as CellId;
      if (store.known(cell)) store.forget(cell);
    }
  }
}

/** No driver has been seen to start. */
export function createDriverState(context: Context): void {
  const { store } = context;
  const driver = store.create(TOP, DRIVER, 0);
  for (const kind of [ARCH, VMBUS, MSHV]) store.create(driver, kind, 0);
}
