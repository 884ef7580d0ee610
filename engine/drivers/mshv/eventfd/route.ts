import { constantNumber } from '../../../abi/index.ts';
import { cellAt } from '../../../hypervisor/index.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import { MSHV_ROUTE } from '../../cells/driver.ts';
import { partitionOf } from '../objects.ts';

const INIT = constantNumber('HV_X64_INTERRUPT_TYPE_INIT');

/** What a route says of an interrupt (Linux 7.2 drivers/hv/mshv_irq.c, mshv_copy_girq_info). */
export interface Route {
  readonly vector: number;
  readonly type: number;
  readonly level: number;
  readonly destination: number;
  readonly logical: number;
}

export function routeOf({ store }: Context, partition: ObjectId, gsi: number): Route | undefined {
  const id = store.find(partition, MSHV_ROUTE, gsi);
  if (id === undefined) return undefined;
  const address = store.low(cellAt(id, MSHV_ROUTE.slots.address));
  const data = store.low(cellAt(id, MSHV_ROUTE.slots.data));
  return {
    vector: data & 0xff,
    type: (data >> 8) & 7,
    level: (data >> 15) & 1,
    destination: (address >> 12) & 0xff,
    logical: (address >> 2) & 1,
  };
}

/** Whether a line of a partition resets VPs: its route is an INIT. */
export function isInitLine(context: Context, partition: bigint, gsi: number): boolean {
  const id = partitionOf(context, partition);
  return id !== undefined && routeOf(context, id, gsi)?.type === INIT;
}
