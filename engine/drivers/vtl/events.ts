import { cellAt } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Handler } from '../../machine/sides.ts';
import type { ObjectId } from '../../state/store.ts';
import type { FdEvent, MessageEvent } from '../../trace/event.ts';
import { MSHV } from '../cells/driver.ts';
import { VTL, VTL_EVENTFD, VTL_POLL } from '../cells/vtl.ts';
import { driverOf } from '../kernel/objects.ts';

/** The SINT of VMBus of the lower VTL (Linux 7.2 drivers/hv/mshv_vtl_main.c, VTL2_VMBUS_SINT_INDEX). */
const VTL_SINT = 7;

/** The interrupt takes the flag from the page, and signals the eventfd that stands for it (mshv_vtl_vmbus_isr). */
function* serveFlag(context: Context, { cpu = 0, flag }: MessageEvent): DriverRun<Outcome> {
  const actor = { component: 'mshv', cpu } as const;
  const rule = 'Linux.vtl.flag';
  if (flag === undefined) return { rule };
  yield { kind: 'message', ...actor, sint: VTL_SINT, what: 'clear', flag };
  const { store } = context;
  const vtl = vtlIn(context);
  const eventfd = vtl === undefined ? undefined : store.find(vtl, VTL_EVENTFD, flag);
  if (eventfd === undefined) return { rule };
  const handle = { kind: 'eventfd', fd: store.number(cellAt(eventfd, VTL_EVENTFD.slots.fd)) } as const;
  yield { kind: 'fd', what: 'eventfd-signal', ...actor, handle, value: 1n };
  return { rule };
}

/** How a flag of a SIEF page is handled; undefined where it is not this driver's. */
export function flagHandler({ profile }: Context, event: MessageEvent): Handler<MessageEvent> | undefined {
  const isOurs = profile.kernel === 'vtl' && event.what === 'event' && event.sint === VTL_SINT;
  return isOurs && event.vp === undefined ? { enter: serveFlag } : undefined;
}

/** Whether the file that a CPU polls has had something to read. */
export function isCancelled(context: Context, cpu: number): boolean {
  const poll = pollOf(context, cpu);
  return poll !== undefined && context.store.low(cellAt(poll, VTL_POLL.slots.cancel)) === 1;
}

/** User space takes the cancellation out of the run page when it has come back. */
export function forgetCancel(context: Context, cpu: number): void {
  const poll = pollOf(context, cpu);
  if (poll !== undefined) context.store.set(cellAt(poll, VTL_POLL.slots.cancel), 0);
}

function vtlIn(context: Context): ObjectId | undefined {
  return context.store.find(driverOf(context, MSHV), VTL, 0);
}

function pollOf(context: Context, cpu: number): ObjectId | undefined {
  const vtl = vtlIn(context);
  return vtl === undefined ? undefined : context.store.find(vtl, VTL_POLL, cpu);
}

/** An eventfd has something to read: a CPU that polls it leaves the lower VTL (mshv_vtl_poll_file_wake). */
export const POLL_SIGNAL: Handler<FdEvent> = {
  enter(context, { handle, pid }): Outcome {
    const { store } = context;
    const vtl = vtlIn(context);
    const { slots } = VTL_POLL;
    for (const poll of vtl === undefined ? [] : store.children(vtl, VTL_POLL)) {
      if (handle?.kind !== 'eventfd' || store.number(cellAt(poll, slots.fd)) !== handle.fd) continue;
      if (pid !== undefined && store.number(cellAt(poll, slots.pid)) !== pid) continue;
      store.set(cellAt(poll, slots.cancel), 1);
    }
    return { ret: 0, rule: 'Linux.vtl.poll-file' };
  },
};
