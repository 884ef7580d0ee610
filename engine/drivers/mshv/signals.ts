import { cellAt, signalledBy } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { MSHV_VP } from '../cells/driver.ts';
import { vpOf } from './objects.ts';

/** Tells the call that runs the VP; false for one that the driver does not have. */
function kickVp(context: Context, partition: bigint, index: number): boolean {
  const vp = vpOf(context, partition, index);
  if (vp === undefined) return false;
  const { store } = context;
  const count = cellAt(vp, MSHV_VP.slots.scheduler.signals);
  store.set(count, store.number(count) + 1);
  store.set(cellAt(vp, MSHV_VP.slots.kicked), 1);
  return true;
}

/**
 * The hypervisor's scheduler names VPs that can be dispatched again; the first that is not there ends it (Linux 7.2
 * drivers/hv/mshv_synic.c, mshv_scheduler_isr). Whatever is in it, the message is done with. False for any other message.
 */
export function serveSignals(context: Context, content: Uint8Array): boolean {
  const vps = signalledBy(content);
  vps?.every(({ partition, index }) => kickVp(context, partition, index));
  return vps !== undefined;
}
