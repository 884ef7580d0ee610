import { constantNumber, fieldOf, readU32 } from '../../../abi/index.ts';
import { cellAt } from '../../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { Handler } from '../../../machine/sides.ts';
import { type Key, keyOf, type ObjectId } from '../../../state/store.ts';
import type { FdEvent, IoctlEvent } from '../../../trace/event.ts';
import { MSHV, MSHV_PARTITION } from '../../cells/driver.ts';
import { EVENTFD, MSHV_IRQFD } from '../../cells/eventfd.ts';
import type { Actor } from '../../kernel/access.ts';
import { failure } from '../../kernel/errno.ts';
import { driverOf } from '../../kernel/objects.ts';
import type { IoctlRow } from '../ioctl-row.ts';
import { serveScheduler } from '../isr.ts';
import { partitionOfHandle } from '../objects.ts';
import { assertLine, assertSlowly } from './assert.ts';
import { notAnEventfd } from './not-an-eventfd.ts';
import { routeOf } from './route.ts';

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

function* enter(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
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
  // What was signalled before is asserted now; the eventfd keeps its count until it is signalled again.
  if (signalsOf(context, event.pid, fd) !== undefined) {
    yield* assertSlowly(context, actor, id, gsi);
    yield* serveScheduler(context);
  }
  return { ret: 0, rule: RULE };
}

/** MSHV_IRQFD (Linux 7.2 drivers/hv/mshv_eventfd.c, mshv_set_unset_irqfd). */
export const IRQFD_IOCTL: IoctlRow = { fd: 'partition', name: 'MSHV_IRQFD', argBytes: ARG.bytes, enter };

/** Whether an eventfd has been signalled and not read. */
function signalsOf(context: Context, pid: number | undefined, fd: number): ObjectId | undefined {
  return context.store.find(driverOf(context, MSHV), EVENTFD, eventfdKey(pid, fd));
}

function eventfdKey(pid: number | undefined, fd: number): Key {
  return keyOf((BigInt(pid ?? 0) << 32n) | BigInt(fd >>> 0));
}

/**
 * An eventfd was signalled: the interrupt that its line stands for is asserted, and it is read (mshv_irqfd_wakeup). One that
 * stands for no line keeps its count.
 */
export const EVENTFD_SIGNAL: Handler<FdEvent> = {
  *enter(context, event): DriverRun<Outcome> {
    const { store } = context;
    const actor = { component: 'mshv', cpu: event.cpu ?? 0 };
    const { fd, pid, gsi } = MSHV_IRQFD.slots;
    const signalled = event.handle?.kind === 'eventfd' ? event.handle.fd : undefined;
    let stands = false;
    const { doubts } = store;
    for (const partition of store.children(driverOf(context, MSHV), MSHV_PARTITION)) {
      for (const irqfd of store.children(partition, MSHV_IRQFD)) {
        if (store.number(cellAt(irqfd, fd)) !== signalled) continue;
        if (event.pid !== undefined && store.number(cellAt(irqfd, pid)) !== event.pid) continue;
        stands = true;
        yield* assertLine(context, actor, partition, store.number(cellAt(irqfd, gsi)));
        yield* serveScheduler(context);
      }
    }
    if (signalled !== undefined) {
      // An irqfd that was there before the recording began has read it.
      const isKnown = store.doubts === doubts;
      if (stands) forget(context, event.pid, signalled);
      else if (isKnown && event.component !== 'mshv') count(context, event, signalled);
    }
    return { ret: 0, rule: RULE };
  },
};

function count(context: Context, { pid, value = 1n }: FdEvent, fd: number): void {
  const { store } = context;
  const known = signalsOf(context, pid, fd);
  const id = known ?? store.create(driverOf(context, MSHV), EVENTFD, eventfdKey(pid, fd));
  const cell = cellAt(id, EVENTFD.slots.value);
  store.set(cell, store.get(cell) + value);
}

function forget(context: Context, pid: number | undefined, fd: number): void {
  const known = signalsOf(context, pid, fd);
  if (known !== undefined) context.store.destroy(known);
}

/** The program has read an eventfd: nothing is signalled any more. */
export const EVENTFD_READ: Handler<FdEvent> = {
  enter(context, event): Outcome {
    if (event.handle?.kind === 'eventfd') forget(context, event.pid, event.handle.fd);
    return { ret: event.ret ?? 0, rule: RULE };
  },
};
