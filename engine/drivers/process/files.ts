import { cellAt } from '../../hypervisor/index.ts';
import type { Context } from '../../machine/context.ts';
import { keyOf, type ObjectId, TOP } from '../../state/store.ts';
import type { FdEvent, IoctlEvent } from '../../trace/event.ts';
import type { Handle } from '../../trace/handle.ts';
import { FD, FILE_KINDS, PROCESS } from '../cells/system.ts';
import { failure } from '../kernel/errno.ts';
import type { VtlFile } from '../vtl/files.ts';

/** Descriptors 0, 1 and 2 belong to the program. */
const FIRST_FD = 3;

/** A file of the drivers: what a descriptor stands for. */
export type File =
  | { readonly kind: 'device'; readonly open: number }
  | { readonly kind: 'partition'; readonly partition: bigint }
  | { readonly kind: 'vp'; readonly partition: bigint; readonly vp: number }
  | VtlFile;

/** The file behind a handle; undefined where it is not one of these drivers, or its ids are not known. */
export function fileOfHandle(handle: Handle | undefined): File | undefined {
  if (handle === undefined) return undefined;
  if (handle.kind === 'device') return { kind: 'device', open: handle.open };
  if ('open' in handle) return { kind: handle.kind, open: handle.open };
  if (handle.kind === 'partition' && handle.partition !== undefined) {
    return { kind: 'partition', partition: handle.partition };
  }
  if (handle.kind === 'vp' && handle.partition !== undefined && handle.vp !== undefined) {
    return { kind: 'vp', partition: handle.partition, vp: handle.vp };
  }
  return undefined;
}

function processOf(context: Context, pid: number | undefined): ObjectId | undefined {
  return pid === undefined ? undefined : context.store.find(TOP, PROCESS, pid);
}

function descriptor(context: Context, pid: number | undefined, fd: number | undefined): ObjectId | undefined {
  const process = processOf(context, pid);
  return process === undefined || fd === undefined ? undefined : context.store.find(process, FD, fd);
}

/** What a descriptor of a process stands for, as far as the trace has shown. */
export function fileOfFd(
  context: Context,
  pid: number | undefined,
  fd: number | undefined,
): File | undefined {
  const id = descriptor(context, pid, fd);
  if (id === undefined) return undefined;
  const { store } = context;
  const { handle, open, partition, vp } = FD.slots;
  const kind = FILE_KINDS[store.low(cellAt(id, handle))] ?? 'none';
  switch (kind) {
    case 'device':
    case 'vtl':
    case 'sint':
    case 'hvcall':
    case 'vtl-low':
      return { kind, open: store.number(cellAt(id, open)) };
    case 'partition':
      return { kind: 'partition', partition: store.get(cellAt(id, partition)) };
    case 'vp':
      return {
        kind: 'vp',
        partition: store.get(cellAt(id, partition)),
        vp: store.number(cellAt(id, vp)),
      };
    default:
      return undefined;
  }
}

/**
 * A number that the process has free: the next after its highest. The trace shows few of its files, so lower ones
 * that seem free may not be.
 */
function freeFd(context: Context, pid: number | undefined): number {
  const highest = pid === undefined ? undefined : fdsOf(context, pid).at(-1);
  return highest === undefined ? FIRST_FD : highest + 1;
}

/**
 * The number of the descriptor that a call opens: the recorded one, else one that is free. Which it is cannot be
 * known, so replay binds it (engine/replay/outcome.ts).
 */
export function newFd(context: Context, event: FdEvent | IoctlEvent): number {
  const known = typeof event.ret === 'number' || event.kind === 'ioctl' ? event.ret : event.fd;
  return typeof known === 'number' && known >= 0 ? known : freeFd(context, event.pid);
}

/** Whether the caller is known to have had no number left for the descriptor that a call opens at its end. */
export function hasNoFd(context: Context, { ret }: IoctlEvent): boolean {
  const none = failure('EMFILE');
  if (ret === none) context.bind('file-descriptor', BigInt(none), BigInt(none));
  return ret === none;
}

/** A process has a file open as `fd`. Without a pid there is nothing to note. */
export function installFd(context: Context, pid: number | undefined, fd: number, file: File): void {
  if (pid === undefined || fd < 0) return;
  const { store } = context;
  const process = store.find(TOP, PROCESS, pid) ?? store.create(TOP, PROCESS, pid);
  const old = store.find(process, FD, fd);
  if (old !== undefined) store.destroy(old);
  const id = store.create(process, FD, fd);
  store.set(cellAt(id, FD.slots.handle), FILE_KINDS.indexOf(file.kind));
  if ('open' in file) {
    store.set(cellAt(id, FD.slots.open), file.open);
    return;
  }
  store.set(cellAt(id, FD.slots.partition), keyOf(file.partition));
  if (file.kind === 'vp') store.set(cellAt(id, FD.slots.vp), file.vp);
}

/** The descriptor is gone. */
export function removeFd(context: Context, pid: number | undefined, fd: number | undefined): void {
  const id = descriptor(context, pid, fd);
  if (id !== undefined) context.store.destroy(id);
}

/** Descriptors of a process, lowest first. */
export function fdsOf(context: Context, pid: number): number[] {
  const process = processOf(context, pid);
  if (process === undefined) return [];
  return context.store
    .children(process, FD)
    .map((id) => Number(context.store.key(id)))
    .sort((a, b) => a - b);
}

/** The process itself is gone. */
export function removeProcess(context: Context, pid: number): void {
  const process = processOf(context, pid);
  if (process !== undefined) context.store.destroy(process);
}
