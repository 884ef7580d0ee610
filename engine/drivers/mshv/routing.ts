import { constantNumber, fieldOf, readU32 } from '../../abi/index.ts';
import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { MSHV_ROUTE } from '../cells/driver.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import type { IoctlRow } from './ioctl-row.ts';
import { partitionOfHandle } from './objects.ts';

const RULE = 'Linux.mshv.set-msi-routing';
const HEADER = {
  bytes: 8,
  count: fieldOf('mshv_user_irq_table', 'nr'),
  reserved: fieldOf('mshv_user_irq_table', 'rsvd'),
};
const ENTRY = {
  bytes: 16,
  gsi: fieldOf('mshv_user_irq_table', 'entries.gsi'),
  low: fieldOf('mshv_user_irq_table', 'entries.address_lo'),
  high: fieldOf('mshv_user_irq_table', 'entries.address_hi'),
  data: fieldOf('mshv_user_irq_table', 'entries.data'),
};
const MAX_ROUTES = constantNumber('MSHV_MAX_GUEST_IRQS');

/** The new table takes the place of the old one, or nothing changes. No hypercall: it is looked up when one is due. */
function* enter(context: Context, _actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  yield* [];
  const count = readU32(arg, HEADER.count);
  if (count > MAX_ROUTES || readU32(arg, HEADER.reserved) !== 0)
    return { ret: failure('EINVAL'), rule: RULE };
  if (arg.length < HEADER.bytes + count * ENTRY.bytes) return { ret: failure('EFAULT'), rule: RULE };
  const seen = new Set<number>();
  for (let i = 0; i < count; i++) {
    const gsi = readU32(arg, ENTRY.gsi, i);
    if (gsi >= MAX_ROUTES || readU32(arg, ENTRY.high, i) !== 0 || seen.has(gsi)) {
      return { ret: failure('EINVAL'), rule: RULE };
    }
    seen.add(gsi);
  }
  const { store } = context;
  const { id } = partitionOfHandle(context, event.handle);
  for (const route of store.children(id, MSHV_ROUTE)) store.destroy(route);
  for (let i = 0; i < count; i++) {
    const route = store.create(id, MSHV_ROUTE, readU32(arg, ENTRY.gsi, i));
    store.set(cellAt(route, MSHV_ROUTE.slots.address), readU32(arg, ENTRY.low, i));
    store.set(cellAt(route, MSHV_ROUTE.slots.data), readU32(arg, ENTRY.data, i));
  }
  return { ret: 0, rule: RULE };
}

/** MSHV_SET_MSI_ROUTING (Linux 7.2 drivers/hv/mshv_irq.c, mshv_update_routing_table). */
export const SET_MSI_ROUTING_IOCTL: IoctlRow = {
  fd: 'partition',
  name: 'MSHV_SET_MSI_ROUTING',
  argBytes: HEADER.bytes,
  enter,
};
