import { cellAt } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import { DRIVER } from '../cells/driver.ts';
import { PROCESS, SYSTEM } from '../cells/system.ts';
import { createDriverState } from '../initialise.ts';
import { systemOf } from '../kernel/objects.ts';

/** A new kernel: nothing that the old one kept is left. What the hypervisor keeps is. */
export function startAnew(context: Context, afterCrash = false): void {
  const { store } = context;
  for (const id of [...store.children(TOP, DRIVER), ...store.children(TOP, PROCESS)]) store.destroy(id);
  createDriverState(context);
  const system = systemOf(context);
  const kernels = cellAt(system, SYSTEM.slots.kernels);
  if (store.known(kernels)) store.set(kernels, store.number(kernels) + 1);
  store.set(cellAt(system, SYSTEM.slots.kexec), 0);
  store.set(cellAt(system, SYSTEM.slots.crashKernel), afterCrash ? 1 : 0);
}
