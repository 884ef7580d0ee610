import { cellAt, knownOr, UNMODELLED } from '../../hypervisor/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { Handler } from '../../machine/sides.ts';
import type { FdEvent } from '../../trace/event.ts';
import { MSHV } from '../cells/driver.ts';
import { failure } from '../kernel/errno.ts';
import { driverOf, driverState } from '../kernel/objects.ts';
import { EVENTFD_READ, EVENTFD_SIGNAL } from '../mshv/eventfd/irqfd.ts';
import { partitionOf, vpOf } from '../mshv/objects.ts';
import { POLL_SIGNAL } from '../vtl/events.ts';
import {
  hasVtlDevices,
  isVtlFileKind,
  isVtlFileKnown,
  openVtlFile,
  VTL_DEVICES,
  type VtlFileKind,
} from '../vtl/files.ts';
import { closeFile, shareFile } from './close.ts';
import { type File, fileOfFd, fileOfHandle, installFd, newFd, removeFd } from './files.ts';
import { mmap } from './mmap.ts';
import { MUNMAP } from './munmap.ts';

const DEVICE = '/dev/mshv';
const EBADF = failure('EBADF');

function failedCall(event: FdEvent): boolean {
  return typeof event.ret === 'number' && event.ret < 0;
}

/** open("/dev/mshv"): the device is there while the driver has not been seen to go. */
function open(): Handler<FdEvent> {
  return {
    enter(context, event): Outcome {
      if (driverState(context, MSHV) === 'stopped') return { ret: failure('ENOENT'), rule: 'Linux.fd.open' };
      if (failedCall(event)) return { rule: UNMODELLED, ret: event.ret as number };
      return { ret: newFd(context, event), rule: 'Linux.fd.open' };
    },
    leave(context, event) {
      if (typeof event.ret !== 'number' || event.ret < 0) return undefined;
      const opens = cellAt(driverOf(context, MSHV), MSHV.slots.opens);
      // Those before a recording are not in its numbers.
      const count = Number(knownOr(context, opens, 0n)) + 1;
      context.store.set(opens, count);
      installFd(context, event.pid, event.ret, fileOfHandle(event.handle) ?? { kind: 'device', open: count });
      return undefined;
    },
  };
}

/** open of a device that a kernel in VTL 2 has besides; that the caller may not (EPERM) stands as recorded. */
function openVtl(kind: VtlFileKind): Handler<FdEvent> {
  return {
    enter(context, event): Outcome {
      const isThere = hasVtlDevices(context.profile) === true && driverState(context, MSHV) !== 'stopped';
      if (!isThere) return { ret: failure('ENOENT'), rule: 'Linux.fd.open' };
      if (failedCall(event)) return { rule: UNMODELLED, ret: event.ret as number };
      return { ret: newFd(context, event), rule: 'Linux.fd.open' };
    },
    leave(context, event) {
      if (typeof event.ret !== 'number' || event.ret < 0) return undefined;
      const open = openVtlFile(context, kind);
      installFd(context, event.pid, event.ret, fileOfHandle(event.handle) ?? { kind, open });
      return undefined;
    },
  };
}

/** Which of its devices an open is of: by what the record says the file is, else by its path. */
function vtlDevice({ handle, path }: FdEvent): VtlFileKind | undefined {
  if (handle !== undefined && isVtlFileKind(handle.kind)) return handle.kind;
  return VTL_DEVICES.get(path ?? '');
}

function fileOf(context: Context, event: FdEvent, fd: number | undefined): File | undefined {
  return fileOfHandle(event.handle) ?? fileOfFd(context, event.pid, fd);
}

/**
 * close: the descriptor is free at once, and the file is released with its last one. The drivers have no flush
 * that could fail, so only a number that is not open does.
 */
function close(file: File): Handler<FdEvent> {
  return {
    *enter(context, event): DriverRun<Outcome> {
      if (event.ret === EBADF) return { rule: UNMODELLED, ret: EBADF };
      removeFd(context, event.pid, event.fd);
      yield* closeFile(context, { component: 'mshv', cpu: event.cpu ?? 0 }, file);
      return { ret: 0, rule: 'Linux.fd.close' };
    },
  };
}

/** dup: one more descriptor for the same file. */
function dup(file: File): Handler<FdEvent> {
  return {
    enter(context, event): Outcome {
      if (failedCall(event)) return { rule: UNMODELLED, ret: event.ret as number };
      return { ret: newFd(context, event), rule: 'Linux.fd.dup' };
    },
    leave(context, event) {
      if (typeof event.ret !== 'number' || event.ret < 0) return undefined;
      shareFile(context, file);
      installFd(context, event.pid, event.ret, file);
      return undefined;
    },
  };
}

/** The driver has the object that the file stands for. */
function isKnown(context: Context, file: File | undefined): file is File {
  if (file === undefined || file.kind === 'device') return file !== undefined;
  if (file.kind === 'partition') return partitionOf(context, file.partition) !== undefined;
  if ('open' in file) return isVtlFileKnown(context, file);
  return vpOf(context, file.partition, file.vp) !== undefined;
}

/** How a call on descriptors is handled; undefined for files that are not the drivers', or not known. */
export function fdHandler(context: Context, event: FdEvent): Handler<FdEvent> | undefined {
  switch (event.what) {
    case 'open': {
      const device = vtlDevice(event);
      if (device !== undefined) {
        return hasVtlDevices(context.profile) === undefined ? undefined : openVtl(device);
      }
      return event.path === DEVICE || event.handle?.kind === 'device' ? open() : undefined;
    }
    case 'close': {
      const file = fileOf(context, event, event.fd);
      return isKnown(context, file) ? close(file) : undefined;
    }
    case 'dup': {
      const file = fileOf(context, event, event.from);
      return isKnown(context, file) ? dup(file) : undefined;
    }
    case 'mmap': {
      const file = fileOf(context, event, event.fd);
      return isKnown(context, file) ? mmap(file) : undefined;
    }
    case 'munmap':
      return event.handle === undefined && !failedCall(event) ? MUNMAP : undefined;
    case 'eventfd-signal':
      if (event.handle?.kind !== 'eventfd') return undefined;
      return context.profile.kernel === 'vtl' ? POLL_SIGNAL : EVENTFD_SIGNAL;
    case 'eventfd-read':
      return event.handle?.kind === 'eventfd' ? EVENTFD_READ : undefined;
    default:
      return undefined;
  }
}
