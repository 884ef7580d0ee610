import { CPU, cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import { VMBUS } from '../cells/driver.ts';
import { failure } from '../kernel/errno.ts';
import type { HotplugState } from '../kernel/hotplug.ts';
import { driverState, isRoot, onlineCpus } from '../kernel/objects.ts';
import { connectAgain, requestOffers, unload } from '../vmbus/connect.ts';
import { CONNECT_CPU } from '../vmbus/sint.ts';
import { cpuOffline, cpuOnline } from './cpu.ts';
import { resume, suspend } from './suspend.ts';

/**
 * The kernel saves itself to disk: VMBus leaves the host, so that all CPUs but the first can go, and that one sleeps (Linux
 * 7.2 kernel/power/hibernate.c; drivers/hv/vmbus_drv.c, vmbus_bus_suspend). A root does not come so far.
 */
export function* save(context: Context, states: readonly HotplugState[]): DriverRun<Outcome> {
  const rule = 'Linux.save';
  if (isRoot(context)) return { ret: failure('EPERM'), rule };
  if (driverState(context, VMBUS) === 'running' && (yield* unload(context)) === 'waiting') return { rule };
  for (const cpu of onlineCpus(context).reverse()) {
    if (cpu !== CONNECT_CPU) yield* cpuOffline(context, states, cpu);
  }
  yield* suspend(context);
  return { ret: 0, rule };
}

/** It is back: every CPU comes, VMBus contacts the host with the protocol it had, and asks for offers (vmbus_bus_resume). */
export function* restore(context: Context, states: readonly HotplugState[]): DriverRun<Outcome> {
  const rule = 'Linux.restore';
  yield* resume(context);
  const { store } = context;
  for (const id of store.children(TOP, CPU)) {
    const isOnline = store.low(cellAt(id, CPU.slots.online)) === 1;
    if (!isOnline) yield* cpuOnline(context, states, Number(store.key(id)));
  }
  if (driverState(context, VMBUS) !== 'running') return { ret: 0, rule };
  const conversation = yield* connectAgain(context);
  if (conversation === 'waiting') return { rule };
  if (conversation === 'done') yield* requestOffers(context);
  return { ret: conversation === 'done' ? 0 : failure('EDOM'), rule };
}
