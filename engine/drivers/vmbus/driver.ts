import { channelMessage, fieldOf, writeField } from '../../abi/index.ts';
import { CPU, cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { TOP } from '../../state/store.ts';
import type { FailStep } from '../../trace/event.ts';
import { VMBUS, VMBUS_CPU } from '../cells/driver.ts';
import { CHANNEL_STATES, VMBUS_CHANNEL } from '../cells/vmbus.ts';
import { failure } from '../kernel/errno.ts';
import { freeNumber, type HotplugState, installState, removeState } from '../kernel/hotplug.ts';
import {
  allocateFrames,
  beginDriver,
  driverOf,
  driverState,
  isRoot,
  setDriverState,
} from '../kernel/objects.ts';
import { postMessage } from './channel.ts';
import { connect, requestOffers, unload } from './connect.ts';
import { VMBUS_HOTPLUG } from './cpu.ts';
import { CONNECT_CPU } from './sint.ts';
import { forgetChannels, setConnection } from './track-connection.ts';

const RELID = fieldOf('vmbus_channel_relid_released', 'child_relid');

/** Linux 7.2 drivers/hv/vmbus_drv.c, vmbus_bus_init: pages, SynIC of each CPU, then the host and its offers. */
export function* startVmbus(
  context: Context,
  states: readonly HotplugState[],
  cpus: readonly number[] | undefined,
  fail: FailStep | undefined,
): DriverRun<Outcome> {
  const outcome = (ret: number): Outcome => ({ ret, rule: 'Linux.vmbus.start' });
  if (!context.profile.vmbus) return outcome(failure('ENODEV'));
  if (driverState(context, VMBUS) === 'running') return outcome(failure('EEXIST'));
  beginDriver(context, VMBUS);
  if (fail === 'alloc') return outcome(failure('ENOMEM'));
  allocatePages(context);
  if (fail === 'cpuhp') return outcome(discard(context, failure('ENOSPC')));
  setDriverState(context, VMBUS, 'running');
  const ret = yield* installState(context, VMBUS_HOTPLUG, freeNumber(context, states), cpus);
  if (ret !== 0) return outcome(discard(context, ret));
  // The connection fails at its first step, which allocates work queues and pages.
  const conversation = fail === 'vmbus-connect' ? 'refused' : yield* connect(context);
  if (conversation === 'waiting') return { rule: 'Linux.vmbus.start' };
  if (conversation === 'done') {
    yield* requestOffers(context);
    return outcome(0);
  }
  setConnection(context, 'disconnected');
  yield* removeState(context, VMBUS_HOTPLUG, cpus);
  return outcome(discard(context, failure(fail === 'vmbus-connect' ? 'ENOMEM' : 'EDOM')));
}

/** Every CPU there is gets its two pages beforehand, online or not; on a root they are the hypervisor's. */
function allocatePages(context: Context): void {
  if (isRoot(context)) return;
  const { store } = context;
  for (const cpu of store.children(TOP, CPU)) {
    const frames = allocateFrames(context, 2);
    const pages = store.create(driverOf(context, VMBUS), VMBUS_CPU, store.key(cpu));
    store.set(cellAt(pages, VMBUS_CPU.slots.simp), frames);
    store.set(cellAt(pages, VMBUS_CPU.slots.siefp), frames + 1n);
  }
}

/** Frees what the driver had; gives `ret` back. */
function discard(context: Context, ret: number): number {
  const { store } = context;
  for (const pages of store.children(driverOf(context, VMBUS), VMBUS_CPU)) store.destroy(pages);
  forgetChannels(context);
  setDriverState(context, VMBUS, 'stopped');
  return ret;
}

const STOP = 'Linux.vmbus.stop';

/**
 * The module goes (Linux 7.2 drivers/hv/vmbus_drv.c, vmbus_exit). It counts as disconnected before it would say so to
 * the host, which therefore gets no UNLOAD (channel_mgmt.c, vmbus_initiate_unload); channels are given back.
 */
export function* stopVmbus(context: Context, cpus?: readonly number[]): DriverRun<Outcome> {
  if (driverState(context, VMBUS) !== 'running') return { ret: failure('ENOENT'), rule: STOP };
  if (cpus !== undefined) {
    yield* removeState(context, VMBUS_HOTPLUG, cpus);
    return { ret: 0, rule: STOP };
  }
  setConnection(context, 'disconnected');
  yield* freeChannels(context);
  yield* removeState(context, VMBUS_HOTPLUG);
  return { ret: discard(context, 0), rule: STOP };
}

/**
 * Every channel is closed, if it is open, and its relid given back. It counts as rescinded by then, so that nobody
 * asks the host to tear its GPADL down (channel_mgmt.c, vmbus_free_channels; channel.c, vmbus_close_internal).
 */
function* freeChannels(context: Context): DriverRun<void> {
  const { store } = context;
  for (const id of store.children(driverOf(context, VMBUS), VMBUS_CHANNEL)) {
    const relid = Number(store.key(id));
    const state = CHANNEL_STATES[store.low(cellAt(id, VMBUS_CHANNEL.slots.state))];
    if (state === 'open') yield* postAbout(context, 'CLOSECHANNEL', relid);
    yield* postAbout(context, 'RELID_RELEASED', relid);
  }
}

/** Messages about a channel that say no more than which one begin alike. */
function* postAbout(
  context: Context,
  name: 'CLOSECHANNEL' | 'RELID_RELEASED',
  relid: number,
): DriverRun<void> {
  const payload = channelMessage(name);
  writeField(payload, RELID, relid);
  yield* postMessage(context, CONNECT_CPU, payload);
}

/** kexec: disconnects from the host, then gives up the SynIC of each CPU (vmbus_drv.c, hv_kexec_handler). */
export function* shutDownVmbus(context: Context): DriverRun<Outcome> {
  if ((yield* unload(context)) === 'waiting') return { rule: STOP };
  yield* removeState(context, VMBUS_HOTPLUG);
  return { ret: discard(context, 0), rule: STOP };
}
