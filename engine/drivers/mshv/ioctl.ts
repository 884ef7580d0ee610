import { findIoctl, ioctlNamed, lowHalf } from '../../abi/index.ts';
import { UNMODELLED } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Handler } from '../../machine/sides.ts';
import { dialectOf } from '../../trace/dialect.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import { releaseAfterCall } from '../process/close.ts';
import { RFC2020_IOCTLS } from '../rfc2020/ioctls.ts';
import { isVtlFileKind, isVtlFileKnown, type VtlFileKind } from '../vtl/files.ts';
import { VTL_IOCTLS } from '../vtl/ioctls.ts';
import { ACCESS_BITMAP_IOCTL } from './access-bitmap.ts';
import { CREATE_PARTITION_IOCTL } from './create-partition.ts';
import { CREATE_VP_IOCTL } from './create-vp.ts';
import { DEPOSIT_MEMORY, NO_PAGES_LEFT } from './deposit.ts';
import { IOEVENTFD_IOCTL } from './eventfd/ioeventfd.ts';
import { IRQFD_IOCTL } from './eventfd/irqfd.ts';
import { INITIALIZE_IOCTL } from './initialize.ts';
import type { IoctlRow } from './ioctl-row.ts';
import { SET_GUEST_MEMORY_IOCTL } from './memory/ioctl.ts';
import { partitionOf, vpOf } from './objects.ts';
import { ROOT_HVCALL_IOCTLS } from './passthrough.ts';
import { SET_MSI_ROUTING_IOCTL } from './routing.ts';
import { RUN_VP_IOCTL } from './run/ioctl.ts';
import { VP_STATE_IOCTLS } from './state/ioctl.ts';

const ROWS: readonly IoctlRow[] = [
  CREATE_PARTITION_IOCTL,
  INITIALIZE_IOCTL,
  CREATE_VP_IOCTL,
  SET_GUEST_MEMORY_IOCTL,
  RUN_VP_IOCTL,
  ...ROOT_HVCALL_IOCTLS,
  ...VP_STATE_IOCTLS,
  SET_MSI_ROUTING_IOCTL,
  IRQFD_IOCTL,
  IOEVENTFD_IOCTL,
  ACCESS_BITMAP_IOCTL,
];

/** The calls of each driver that is modelled. */
const DRIVERS = { upstream: ROWS, rfc2020: RFC2020_IOCTLS, vtl: VTL_IOCTLS } as const;
type Modelled = keyof typeof DRIVERS;

/** Handlers by request number, for each kind of file. */
type Handlers = Readonly<Record<FileKind, ReadonlyMap<number, Handler<IoctlEvent>>>>;

function byRequest(dialect: Modelled): Handlers {
  const handlers = {
    device: new Map(),
    partition: new Map(),
    vp: new Map(),
    vtl: new Map(),
    sint: new Map(),
    hvcall: new Map(),
    'vtl-low': new Map(),
  };
  for (const row of DRIVERS[dialect]) {
    const number = ioctlNamed(dialect, row.fd, row.name)?.number;
    if (number === undefined) throw new Error(`${dialect} has no ${row.name} on a ${row.fd}`);
    if (!isFileKind(row.fd)) throw new Error(`no handler for calls on a ${row.fd}`);
    handlers[row.fd].set(number, handlerOf(row));
  }
  return handlers;
}

type FileKind = 'device' | 'partition' | 'vp' | VtlFileKind;

function isFileKind(kind: string): kind is FileKind {
  return kind === 'device' || kind === 'partition' || kind === 'vp' || isVtlFileKind(kind);
}

const NO_BYTES = new Uint8Array(0);
const EFAULT = failure('EFAULT');
const EINTR = failure('EINTR');
const ENOMEM = failure('ENOMEM');
const NOTHING = { kind: 'none' } as const;
const codeOf = (control: bigint) => lowHalf(control) & 0xffff;

/** The driver knows the object that the descriptor stands for. */
function isKnown(context: Context, event: IoctlEvent): boolean {
  const { handle } = event;
  if (handle.kind === 'partition') {
    return handle.partition !== undefined && partitionOf(context, handle.partition) !== undefined;
  }
  if (handle.kind === 'vp') {
    const { partition, vp } = handle;
    return partition !== undefined && vp !== undefined && vpOf(context, partition, vp) !== undefined;
  }
  if (handle.kind === 'device') return true;
  return 'open' in handle && isVtlFileKnown(context, handle);
}

/**
 * The kernel may have no memory for any call, before it does anything. Where the profile says how many pages there are, that the
 * hypervisor wants them side by side or takes them from the kernel's own pool, the driver says itself when it comes to that.
 */
function isOutOfMemory({ profile }: Context, { ret }: IoctlEvent, row: IoctlRow): boolean {
  const { depositablePages, pool } = profile;
  const isOwn = depositablePages > 0 || pool.contiguous.length > 0 || pool.child > 0;
  return ret === ENOMEM && row.wake === undefined && !isOwn;
}

/**
 * A call that is known to have ended for want of memory, after calls that the record shows: it is the deposit that does not come next
 * there which had no pages. The driver is told so, and goes on from that.
 */
function* untilOutOfMemory(context: Context, event: IoctlEvent, run: DriverRun<Outcome>): DriverRun<Outcome> {
  for (let step = run.next(NOTHING); ; ) {
    if (step.done) return step.value;
    const isDue = step.value.kind === 'hypercall' && codeOf(step.value.control) === DEPOSIT_MEMORY;
    const shown = isDue ? context.nextBelow(event.seq) : undefined;
    const isMade = shown?.kind === 'hypercall' && codeOf(shown.control) === DEPOSIT_MEMORY;
    if (isDue && !isMade) {
      context.bind('allocator', BigInt(ENOMEM), BigInt(ENOMEM));
      step = run.next(NO_PAGES_LEFT);
    } else step = run.next(yield step.value);
  }
}

/**
 * What a call came to that ended before the driver did anything, for a reason that the machine does not show: an
 * argument that could not be read, a signal while it waited for the lock. Undefined for one that went on. Of a
 * call without an argument the record may have seen less than the driver.
 */
function endedBefore(context: Context, event: IoctlEvent, row: IoctlRow): Outcome | undefined {
  const { ret, arg } = event;
  if (row.argBytes > 0 && (arg === undefined || arg.length < row.argBytes)) {
    if (ret === undefined || ret === EFAULT) return { ret: EFAULT, rule: 'Linux.mshv.bad-pointer' };
    return ret === null ? { rule: UNMODELLED } : { ret, rule: UNMODELLED };
  }
  if (isOutOfMemory(context, event, row) && context.nextBelow(event.seq) === undefined) {
    context.bind('allocator', BigInt(ENOMEM), BigInt(ENOMEM));
    return { ret: ENOMEM, rule: 'Linux.mshv.out-of-memory' };
  }
  // A call that waits ends by a signal as it stands in its own rule.
  const interrupted = ret === EINTR && (row.wake === undefined || row.uninterruptible === true);
  // With something to give back the driver came to its end, and failed at the very last.
  const unread = ret === EFAULT && (event.out?.arg ?? event.out?.data) === undefined;
  return unread || interrupted ? { ret, rule: UNMODELLED } : undefined;
}

function actorOf(event: IoctlEvent): Actor {
  return { component: 'mshv', cpu: event.cpu ?? 0 };
}

/** The kernel that took the call is gone, and all that it waited on: nobody sees it return. */
function* neverReturns(): DriverRun<Outcome> {
  yield* [];
  return { rule: UNMODELLED };
}

function handlerOf(row: IoctlRow): Handler<IoctlEvent> {
  const { leave, ready, wake, loops, uninterruptible } = row;
  const handler: Handler<IoctlEvent> = {
    enter(context, event) {
      const ended = endedBefore(context, event, row);
      if (ended !== undefined) return ended;
      const entered = row.enter(context, actorOf(event), event, event.arg ?? NO_BYTES);
      if ('rule' in entered || !isOutOfMemory(context, event, row)) return entered;
      return untilOutOfMemory(context, event, entered);
    },
  };
  const waiting: Handler<IoctlEvent> =
    ready === undefined || wake === undefined
      ? handler
      : {
          ...handler,
          ready: (context, event) => isKnown(context, event) && ready(context, event),
          wake: (context, event, signal) =>
            isKnown(context, event) ? wake(context, actorOf(event), event, signal) : neverReturns(),
          ...(loops === undefined ? {} : { loops }),
          ...(uninterruptible === undefined ? {} : { inTurn: uninterruptible }),
        };
  if (wake !== undefined && row.fd === 'vp') {
    const release = (context: Context, event: IoctlEvent) => releaseAfterCall(context, actorOf(event), event);
    return { ...waiting, leave: release };
  }
  if (leave === undefined) return waiting;
  return {
    ...waiting,
    leave(context, event) {
      leave(context, event);
      return undefined;
    },
  };
}

const HANDLERS: Readonly<Record<Modelled, Handlers>> = {
  upstream: byRequest('upstream'),
  rfc2020: byRequest('rfc2020'),
  vtl: byRequest('vtl'),
};

/** A number that the file does not know. */
const UNKNOWN_REQUEST: Handler<IoctlEvent> = {
  enter: () => ({ ret: failure('ENOTTY'), rule: 'Linux.mshv.unknown-ioctl' }),
};

function isModelled(dialect: string): dialect is Modelled {
  return Object.hasOwn(DRIVERS, dialect);
}

/** How an ioctl is handled; undefined where it is not modelled or its object not known. */
export function ioctlHandler(context: Context, event: IoctlEvent): Handler<IoctlEvent> | undefined {
  const dialect = event.dialect ?? dialectOf(context.profile.kernel);
  const fd = event.handle.kind;
  if (!isModelled(dialect) || !isFileKind(fd)) return undefined;
  if (!isKnown(context, event)) return undefined;
  const handler = HANDLERS[dialect][fd].get(event.op);
  if (handler !== undefined) return handler;
  return findIoctl(dialect, fd, event.op) === undefined ? UNKNOWN_REQUEST : undefined;
}
