import { constantNumber, fieldOf, readU32, readU64 } from '../../../abi/index.ts';
import { cellAt } from '../../../hypervisor/index.ts';
import type { DriverRun, NoteRequest, Outcome } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { ObjectId } from '../../../state/store.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import { MSHV, MSHV_PARTITION } from '../../cells/driver.ts';
import { MSHV_DOORBELL } from '../../cells/eventfd.ts';
import type { Actor } from '../../kernel/access.ts';
import { failure } from '../../kernel/errno.ts';
import { driverOf } from '../../kernel/objects.ts';
import type { IoctlRow } from '../ioctl-row.ts';
import { partitionOfHandle } from '../objects.ts';
import { addDoorbell, removeDoorbell } from './doorbell.ts';
import { notAnEventfd } from './not-an-eventfd.ts';

const RULE = 'Linux.mshv.ioeventfd';
const ARG = {
  bytes: 32,
  match: fieldOf('mshv_user_ioeventfd', 'datamatch'),
  address: fieldOf('mshv_user_ioeventfd', 'addr'),
  length: fieldOf('mshv_user_ioeventfd', 'len'),
  fd: fieldOf('mshv_user_ioeventfd', 'fd'),
  flags: fieldOf('mshv_user_ioeventfd', 'flags'),
  reserved: fieldOf('mshv_user_ioeventfd', 'rsvd'),
};
const bit = (name: string) => constantNumber(`MSHV_IOEVENTFD_BIT_${name}`);
const [MATCHES, PORT_IO, DEASSIGN, COUNT] = [bit('DATAMATCH'), bit('PIO'), bit('DEASSIGN'), bit('COUNT')];
/** Flag of the doorbell by the length of the write: 0 is any. */
const SIZES: ReadonlyMap<number, number> = new Map(
  [0, 1, 2, 4, 8].map((length, index) => [length, index] as const),
);
const ANY_VALUE = 0x8000_0000;
const TOP = 1n << 64n;

interface Wanted {
  readonly fd: number;
  readonly address: bigint;
  readonly length: number;
  readonly wildcard: boolean;
  readonly match: bigint;
}

function wantedOf(arg: Uint8Array): Wanted {
  return {
    fd: readU32(arg, ARG.fd),
    address: readU64(arg, ARG.address),
    length: readU32(arg, ARG.length),
    wildcard: (readU32(arg, ARG.flags) & MATCHES) === 0,
    match: readU64(arg, ARG.match),
  };
}

function doorbellOf({ store }: Context, id: ObjectId): Wanted {
  const { fd, address, length, wildcard, match } = MSHV_DOORBELL.slots;
  return {
    fd: store.number(cellAt(id, fd)),
    address: store.get(cellAt(id, address)),
    length: store.number(cellAt(id, length)),
    wildcard: store.low(cellAt(id, wildcard)) === 1,
    match: store.get(cellAt(id, match)),
  };
}

function sameWrite(a: Wanted, b: Wanted): boolean {
  return a.address === b.address && a.length === b.length;
}

function* enter(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const flags = readU32(arg, ARG.flags);
  const reserved = arg.subarray(ARG.reserved.offset, ARG.reserved.offset + ARG.reserved.length);
  if ((flags & ~(COUNT - 1)) !== 0 || reserved.some((byte) => byte !== 0))
    return { ret: failure('EINVAL'), rule: RULE };
  if ((flags & PORT_IO) !== 0) return { ret: failure('EOPNOTSUPP'), rule: RULE };
  const wanted = wantedOf(arg);
  const { partition, id } = partitionOfHandle(context, event.handle);
  if ((flags & DEASSIGN) !== 0) return yield* deassign(context, actor, event, partition, id, wanted);
  const size = SIZES.get(wanted.length);
  if (size === undefined || wanted.address + BigInt(wanted.length) >= TOP)
    return { ret: failure('EINVAL'), rule: RULE };
  const refused = notAnEventfd(event);
  if (refused !== undefined) return refused;
  const { store } = context;
  const taken = store.children(id, MSHV_DOORBELL).some((other) => {
    const has = doorbellOf(context, other);
    return sameWrite(has, wanted) && (has.wildcard || wanted.wildcard || has.match === wanted.match);
  });
  if (taken) return { ret: failure('EEXIST'), rule: RULE };
  const ring = {
    gpa: wanted.address,
    trigger: wanted.match,
    flags: wanted.wildcard ? (size | ANY_VALUE) >>> 0 : size,
  };
  const { ret, port } = yield* addDoorbell(context, actor, partition, ring);
  if (ret !== 0) return { ret, rule: RULE };
  const doorbell = store.create(id, MSHV_DOORBELL, port);
  const { slots } = MSHV_DOORBELL;
  store.set(cellAt(doorbell, slots.fd), wanted.fd);
  store.set(cellAt(doorbell, slots.address), wanted.address);
  store.set(cellAt(doorbell, slots.length), wanted.length);
  store.set(cellAt(doorbell, slots.wildcard), wanted.wildcard ? 1 : 0);
  store.set(cellAt(doorbell, slots.match), wanted.match);
  return { ret: 0, rule: RULE };
}

function* deassign(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  partition: bigint,
  id: ObjectId,
  wanted: Wanted,
): DriverRun<Outcome> {
  const { store } = context;
  const found = store.children(id, MSHV_DOORBELL).find((other) => {
    const has = doorbellOf(context, other);
    if (has.fd !== wanted.fd || !sameWrite(has, wanted) || has.wildcard !== wanted.wildcard) return false;
    return has.wildcard || has.match === wanted.match;
  });
  if (found === undefined) return notAnEventfd(event) ?? { ret: failure('ENOENT'), rule: RULE };
  const port = Number(store.key(found));
  store.destroy(found);
  yield* removeDoorbell(actor, partition, port);
  return { ret: 0, rule: RULE };
}

/** MSHV_IOEVENTFD (Linux 7.2 drivers/hv/mshv_eventfd.c, mshv_set_unset_ioeventfd). */
export const IOEVENTFD_IOCTL: IoctlRow = {
  fd: 'partition',
  name: 'MSHV_IOEVENTFD',
  argBytes: ARG.bytes,
  enter,
};

/** All doorbells of a partition go, the last one first (mshv_ioeventfd_release). */
export function* releaseDoorbells(
  context: Context,
  actor: Actor,
  partition: bigint,
  id: ObjectId,
): DriverRun<void> {
  const { store } = context;
  for (const doorbell of [...store.children(id, MSHV_DOORBELL)].reverse()) {
    const port = Number(store.key(doorbell));
    store.destroy(doorbell);
    yield* removeDoorbell(actor, partition, port);
  }
}

/** The eventfd behind a port is signalled (doorbell_isr, ioeventfd_mmio_write); undefined for a port that is gone. */
export function signalOf(context: Context, actor: Actor, port: number): NoteRequest | undefined {
  const { store } = context;
  for (const partition of store.children(driverOf(context, MSHV), MSHV_PARTITION)) {
    const doorbell = store.find(partition, MSHV_DOORBELL, port);
    if (doorbell === undefined) continue;
    const handle = { kind: 'eventfd', fd: store.number(cellAt(doorbell, MSHV_DOORBELL.slots.fd)) } as const;
    return { kind: 'fd', what: 'eventfd-signal', ...actor, handle, value: 1n };
  }
  return undefined;
}
