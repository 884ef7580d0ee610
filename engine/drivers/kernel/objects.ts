import { CPU, cellAt, FIRST_KERNEL_FRAME, knownOr } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectKind } from '../../state/schema.ts';
import { type ObjectId, TOP } from '../../state/store.ts';
import {
  type ARCH,
  DRIVER,
  DRIVER_STATES,
  type DriverState,
  type MSHV,
  type VMBUS,
} from '../cells/driver.ts';
import { SYSTEM } from '../cells/system.ts';

function only(context: Context, parent: ObjectId, kind: ObjectKind): ObjectId {
  const id = context.store.find(parent, kind, 0);
  if (id === undefined) throw new Error(`${kind.name} does not exist`);
  return id;
}

export function systemOf(context: Context): ObjectId {
  return only(context, TOP, SYSTEM);
}

/** The driver begins anew: what it kept before the recording began is gone. */
export function beginDriver(context: Context, kind: typeof ARCH | typeof VMBUS | typeof MSHV): void {
  context.store.settle(driverOf(context, kind));
}

/** The object of a driver. */
export function driverOf(context: Context, kind: typeof ARCH | typeof VMBUS | typeof MSHV): ObjectId {
  return only(context, only(context, TOP, DRIVER), kind);
}

export function driverState(context: Context, kind: typeof ARCH | typeof VMBUS | typeof MSHV): DriverState {
  const cell = cellAt(driverOf(context, kind), kind.slots.state);
  return DRIVER_STATES[Number(knownOr(context, cell, 0n))] ?? 'unseen';
}

export function setDriverState(
  context: Context,
  kind: typeof ARCH | typeof VMBUS | typeof MSHV,
  state: DriverState,
): void {
  context.store.set(cellAt(driverOf(context, kind), kind.slots.state), DRIVER_STATES.indexOf(state));
}

/** Numbers of the CPUs that are online, in order; one of which that is not known counts, and leaves a doubt. */
export function onlineCpus(context: Context): number[] {
  const { store } = context;
  return store
    .children(TOP, CPU)
    .filter((cpu) => {
      const online = cellAt(cpu, CPU.slots.online);
      return store.low(online) === 1 || !store.known(online);
    })
    .map((cpu) => Number(store.key(cpu)));
}

/** The partition's kernel is that of a root partition, nested or not (Linux: hv_root_partition). */
export function isRoot(context: Context): boolean {
  const { role } = context.profile;
  return role === 'root' || role === 'nested-root';
}

/** It may have child partitions of its own (Linux: hv_parent_partition). */
export function isParent(context: Context): boolean {
  return isRoot(context) || context.profile.role === 'l1vh';
}

/** Its hypervisor runs on another one (Linux: hv_nested). */
export function isNested(context: Context): boolean {
  return context.profile.role === 'nested-root';
}

/** Frames for `count` pages, one after another. */
export function allocateFrames(context: Context, count: number): bigint {
  const next = cellAt(systemOf(context), SYSTEM.slots.nextFrame);
  const frame = knownOr(context, next, BigInt(FIRST_KERNEL_FRAME));
  context.store.set(next, frame + BigInt(count));
  return frame;
}
