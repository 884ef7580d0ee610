import { constantNumber, fieldOf, readU32, writeField } from '../../../abi/index.ts';
import { cellAt } from '../../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { Handler } from '../../../machine/sides.ts';
import type { ObjectId } from '../../../state/store.ts';
import type { FdEvent, IoctlEvent } from '../../../trace/event.ts';
import { MSHV, MSHV_PARTITION, MSHV_ROUTE } from '../../cells/driver.ts';
import { MSHV_IRQFD } from '../../cells/eventfd.ts';
import type { Actor } from '../../kernel/access.ts';
import { failure } from '../../kernel/errno.ts';
import { hypercall, hypercallCode } from '../../kernel/hypercall.ts';
import { driverOf } from '../../kernel/objects.ts';
import type { IoctlRow } from '../ioctl-row.ts';
import { serveScheduler } from '../isr.ts';
import { partitionOfHandle } from '../objects.ts';
import { notAnEventfd } from './not-an-eventfd.ts';

const RULE = 'Linux.mshv.irqfd';
const ARG = {
  bytes: 16,
  fd: fieldOf('mshv_user_irqfd', 'fd'),
  resampleFd: fieldOf('mshv_user_irqfd', 'resamplefd'),
  gsi: fieldOf('mshv_user_irqfd', 'gsi'),
  flags: fieldOf('mshv_user_irqfd', 'flags'),
};
const bit = (name: string) => constantNumber(`MSHV_IRQFD_BIT_${name}`);
const [DEASSIGN, RESAMPLE, COUNT] = [bit('DEASSIGN'), bit('RESAMPLE'), bit('COUNT')];

const ASSERT_VIRTUAL_INTERRUPT = hypercallCode('ASSERT_VIRTUAL_INTERRUPT');
const ASSERT = {
  bytes: 32,
  id: fieldOf('hv_input_assert_virtual_interrupt', 'partition_id'),
  type: fieldOf('hv_input_assert_virtual_interrupt', 'control.interrupt_type'),
  level: fieldOf('hv_input_assert_virtual_interrupt', 'control.level_triggered'),
  logical: fieldOf('hv_input_assert_virtual_interrupt', 'control.logical_dest_mode'),
  destination: fieldOf('hv_input_assert_virtual_interrupt', 'dest_addr'),
  vector: fieldOf('hv_input_assert_virtual_interrupt', 'vector'),
};

/** What a route says of an interrupt (Linux 7.2 drivers/hv/mshv_irq.c, mshv_copy_girq_info). */
interface Route {
  readonly vector: number;
  readonly type: number;
  readonly level: number;
  readonly destination: number;
  readonly logical: number;
}

function routeOf({ store }: Context, partition: ObjectId, gsi: number): Route | undefined {
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

function enter(context: Context, _actor: Actor, event: IoctlEvent, arg: Uint8Array): Outcome {
  const flags = readU32(arg, ARG.flags);
  if ((flags & ~(COUNT - 1)) !== 0) return { ret: failure('EINVAL'), rule: RULE };
  const { store } = context;
  const { id } = partitionOfHandle(context, event.handle);
  const [fd, gsi] = [readU32(arg, ARG.fd), readU32(arg, ARG.gsi)];
  const { slots } = MSHV_IRQFD;
  const registered = store.children(id, MSHV_IRQFD);
  const same = registered.filter((other) => store.number(cellAt(other, slots.fd)) === fd);
  if ((flags & DEASSIGN) !== 0) {
    const found = same.filter((other) => store.number(cellAt(other, slots.gsi)) === gsi);
    if (found.length === 0) return notAnEventfd(event) ?? { ret: 0, rule: RULE };
    for (const other of found) store.destroy(other);
    return { ret: 0, rule: RULE };
  }
  const resample = (flags & RESAMPLE) !== 0;
  // Without a level a resampled interrupt would never be acknowledged.
  if (resample && routeOf(context, id, gsi)?.level !== 1)
    return notAnEventfd(event) ?? { ret: failure('EINVAL'), rule: RULE };
  const refused = notAnEventfd(event);
  if (refused !== undefined) return refused;
  if (same.length > 0) return { ret: failure('EBUSY'), rule: RULE };
  const last = registered.reduce((most, other) => Math.max(most, Number(store.key(other))), -1);
  const irqfd = store.create(id, MSHV_IRQFD, last + 1);
  store.set(cellAt(irqfd, slots.fd), fd);
  store.set(cellAt(irqfd, slots.pid), event.pid ?? 0);
  store.set(cellAt(irqfd, slots.gsi), gsi);
  if (resample) {
    store.set(cellAt(irqfd, slots.resample), 1);
    store.set(cellAt(irqfd, slots.resampleFd), readU32(arg, ARG.resampleFd));
  }
  return { ret: 0, rule: RULE };
}

/** MSHV_IRQFD (Linux 7.2 drivers/hv/mshv_eventfd.c, mshv_set_unset_irqfd). */
export const IRQFD_IOCTL: IoctlRow = { fd: 'partition', name: 'MSHV_IRQFD', argBytes: ARG.bytes, enter };

function* assertInterrupt(actor: Actor, partition: bigint, route: Route | undefined): DriverRun<void> {
  const input = new Uint8Array(ASSERT.bytes);
  const { vector = 0, type = 0, level = 0, destination = 0, logical = 0 } = route ?? {};
  writeField(input, ASSERT.id, partition);
  writeField(input, ASSERT.type, type);
  writeField(input, ASSERT.level, level);
  writeField(input, ASSERT.logical, logical);
  writeField(input, ASSERT.destination, destination);
  writeField(input, ASSERT.vector, vector);
  yield* hypercall(actor, ASSERT_VIRTUAL_INTERRUPT, input);
}

/**
 * An eventfd was signalled: the interrupt that its line stands for is asserted (mshv_assert_irq_slow); one without a
 * route is not, but for line 0.
 */
export const EVENTFD_SIGNAL: Handler<FdEvent> = {
  *enter(context, event): DriverRun<Outcome> {
    const { store } = context;
    const actor = { component: 'mshv', cpu: event.cpu ?? 0 };
    const { fd, pid, gsi } = MSHV_IRQFD.slots;
    const signalled = event.handle?.kind === 'eventfd' ? event.handle.fd : undefined;
    for (const partition of store.children(driverOf(context, MSHV), MSHV_PARTITION)) {
      for (const irqfd of store.children(partition, MSHV_IRQFD)) {
        if (store.number(cellAt(irqfd, fd)) !== signalled) continue;
        if (event.pid !== undefined && store.number(cellAt(irqfd, pid)) !== event.pid) continue;
        const line = store.number(cellAt(irqfd, gsi));
        const route = routeOf(context, partition, line);
        if (route === undefined && line !== 0) continue;
        yield* assertInterrupt(actor, BigInt(store.key(partition)), route);
        yield* serveScheduler(context);
      }
    }
    return { ret: 0, rule: RULE };
  },
};
