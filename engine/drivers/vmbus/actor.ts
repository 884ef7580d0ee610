import { cellAt } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { CONNECTIONS, VMBUS } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { driverOf, isNested } from '../kernel/objects.ts';
import { NESTED_MSRS, PLAIN_MSRS, type SynicMsrs } from '../kernel/synic.ts';

export function vmbusActor(cpu: number): Actor {
  return { component: 'vmbus', cpu };
}

export function vmbusMsrs(context: Context): SynicMsrs {
  return isNested(context) ? NESTED_MSRS : PLAIN_MSRS;
}

export function connectionOf(context: Context): (typeof CONNECTIONS)[number] {
  const cell = cellAt(driverOf(context, VMBUS), VMBUS.slots.connection);
  return CONNECTIONS[context.store.low(cell)] ?? 'disconnected';
}
