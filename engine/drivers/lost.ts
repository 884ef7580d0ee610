import { CPU, cellAt, forgetMachine, PARTITION } from '../hypervisor/index.ts';
import type { Context } from '../machine/context.ts';
import { keyOf, TOP } from '../state/store.ts';
import type { LifecycleEvent, TraceEvent } from '../trace/event.ts';
import { DRIVER, MSHV } from './cells/driver.ts';
import { ENDS, PROCESS, SYSTEM } from './cells/system.ts';
import { createUnseenDrivers } from './initialise.ts';
import { driverOf, systemOf } from './kernel/objects.ts';
import { asksHypervisor } from './machine/power.ts';
import { partitionOf } from './mshv/objects.ts';

/** Steps at whose end registers may have been reset. */
const RESETS: ReadonlySet<LifecycleEvent['what']> = new Set([
  'kexec',
  'reboot',
  'crash',
  'power-off',
  'suspend',
  'resume',
  'save',
  'restore',
]);

/**
 * What came of a stimulus is not known, in a recording that began mid-life: the record went another way than what is
 * known of the drivers, or shows too little. What it may have changed is not known from then on.
 */
export function lost(context: Context, event: TraceEvent, showsHypercalls = false): void {
  if (event.kind === 'lifecycle') {
    if (event.phase === 'end' && event.what === 'cpu-offline') wentOffline(context, event);
    else if (event.phase !== 'end' || RESETS.has(event.what)) forgetAll(context, event);
  } else if (event.kind === 'ioctl' || event.kind === 'fd') {
    const { handle } = event;
    if (handle?.kind !== 'partition' && handle?.kind !== 'vp') return;
    if (handle.partition !== undefined) forgetPartition(context, handle.partition, showsHypercalls);
  }
}

/** The kernel may have been restarted, or a driver: nothing that was seen of either side can be relied on. */
function forgetAll(context: Context, event: LifecycleEvent): void {
  const { store } = context;
  forgetMachine(context);
  for (const id of [...store.children(TOP, DRIVER), ...store.children(TOP, PROCESS)]) store.destroy(id);
  createUnseenDrivers(context);
  const system = systemOf(context);
  for (const slot of Object.values(SYSTEM.slots)) store.forget(cellAt(system, slot));
  const how =
    event.what === 'halt' ? 'halted' : event.what === 'power-off' && asksHypervisor(context) ? 'off' : 'none';
  if (how !== 'none' && event.phase !== 'end') store.set(cellAt(system, SYSTEM.slots.end), ENDS.indexOf(how));
}

/** What it did on its way told that the CPU was online. */
function wentOffline({ store }: Context, { cpu, ret }: LifecycleEvent): void {
  const id = cpu === undefined ? undefined : store.find(TOP, CPU, cpu);
  if (id !== undefined && ret === 0) store.set(cellAt(id, CPU.slots.online), 0);
}

/** Nor can what was seen of a partition, and of how many there are. */
function forgetPartition(context: Context, partition: bigint, showsHypercalls: boolean): void {
  const { store } = context;
  const own = partitionOf(context, partition);
  if (own !== undefined) store.destroy(own);
  store.forget(cellAt(driverOf(context, MSHV), MSHV.slots.opens));
  if (showsHypercalls) return;
  const id = store.find(TOP, PARTITION, keyOf(partition));
  if (id !== undefined) store.destroy(id);
}
