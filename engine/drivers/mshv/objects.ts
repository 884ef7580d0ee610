import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId } from '../../state/store.ts';
import type { Handle } from '../../trace/handle.ts';
import { MSHV, MSHV_PARTITION, MSHV_VP } from '../cells/driver.ts';
import { driverOf } from '../kernel/objects.ts';

/** A partition as the driver keeps it; undefined for one that the trace has not shown it to create. */
export function partitionOf(context: Context, id: bigint): ObjectId | undefined {
  return context.store.find(driverOf(context, MSHV), MSHV_PARTITION, keyOf(id));
}

/** Its VP with that index. */
export function vpOf(context: Context, partition: bigint, index: number): ObjectId | undefined {
  const id = partitionOf(context, partition);
  return id === undefined ? undefined : context.store.find(id, MSHV_VP, index);
}

/** The partition of a call's descriptor; calls are only handled on those that the driver has. */
export function partitionOfHandle(
  context: Context,
  handle: Handle,
): { readonly partition: bigint; readonly id: ObjectId } {
  const named = handle.kind === 'partition' || handle.kind === 'vp' ? handle.partition : undefined;
  const id = named === undefined ? undefined : partitionOf(context, named);
  if (named === undefined || id === undefined) throw new Error('the partition is not the driver’s');
  return { partition: named, id };
}
