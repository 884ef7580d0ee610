import type { Context } from '../machine/context.ts';
import { TOP } from '../state/store.ts';
import { ARCH, DRIVER, MSHV, VMBUS } from './cells/driver.ts';
import { SYSTEM } from './cells/system.ts';

/** What the kernel keeps, before the first event. */
export function initialise(context: Context): void {
  context.store.create(TOP, SYSTEM, 0);
  createDriverState(context);
}

/** No driver has been seen to start. */
export function createDriverState(context: Context): void {
  const { store } = context;
  const driver = store.create(TOP, DRIVER, 0);
  for (const kind of [ARCH, VMBUS, MSHV]) store.create(driver, kind, 0);
}
