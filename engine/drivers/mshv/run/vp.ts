import { vpOfRef } from '../../../hypervisor/index.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import { vpOf } from '../objects.ts';
import type { VpId } from '../pages.ts';

/** The VP that a call is made on; calls are only handled on those that the driver has. */
export function vpOfCall({ handle }: IoctlEvent): VpId {
  if (handle.kind !== 'vp' || handle.partition === undefined || handle.vp === undefined) {
    throw new Error('a call that is on no VP');
  }
  return { partition: handle.partition, index: handle.vp };
}

/** The VP as the driver keeps it. */
export function driverVp(context: Context, { partition, index }: VpId): ObjectId {
  const id = vpOf(context, partition, index);
  if (id === undefined) throw new Error(`VP ${partition}.${index} is not the driver's`);
  return id;
}

/** The VP as the hypervisor has it; its pages are what the driver sees of it. */
export function guestVp(context: Context, { partition, index }: VpId): ObjectId | undefined {
  return vpOfRef(context, { partition, vp: index });
}
