import type { Machine } from '../machine/machine.ts';
import type { FdEvent, IoctlEvent, TraceEvent } from '../trace/event.ts';
import type { Handle } from '../trace/handle.ts';
import type { Ahead } from './ahead.ts';

/**
 * The event with the ids that its recorder did not know. No call that opens a partition or VP tells its program the hypervisor's id (Linux
 * 7.2 drivers/hv/mshv_root_main.c: they return a descriptor), so a live recording has `partition:?` until a message names it. The
 * descriptor says which it is; the id of a new partition is that of the first call to come that knows it.
 */
export function named(machine: Machine, event: TraceEvent, ahead: Ahead): TraceEvent {
  if (event.kind !== 'ioctl' && event.kind !== 'fd') return event;
  const { handle } = event;
  const file = handle !== undefined && lacksId(handle) ? fileOf(machine, event, handle) : undefined;
  const known = file === undefined ? event : { ...event, handle: file };
  if (known.kind !== 'ioctl') return known;
  const opened = known.out?.handle;
  if (opened?.kind !== 'partition' || !lacksId(opened)) return known;
  const partition = idAhead(known, ahead);
  return partition === undefined
    ? known
    : { ...known, out: { ...known.out, handle: { kind: 'partition', partition } } };
}

function lacksId(handle: Handle): boolean {
  if (handle.kind === 'partition') return handle.partition === undefined;
  return handle.kind === 'vp' && (handle.partition === undefined || handle.vp === undefined);
}

/** What the descriptor stands for; a dup is recorded with the one that it is a copy of. */
function fileOf(machine: Machine, event: IoctlEvent | FdEvent, handle: Handle): Handle | undefined {
  const fd = event.kind === 'fd' && event.what === 'dup' ? event.from : event.fd;
  const file = machine.file(event.pid, fd);
  return file?.kind === handle.kind ? file : undefined;
}

/** The id that a call on the new partition, or on a VP made in it, is recorded with before its descriptor is closed. */
function idAhead({ pid, ret }: IoctlEvent, ahead: Ahead): bigint | undefined {
  const vps = new Set<number>();
  let isOpen = true;
  let found: bigint | undefined;
  if (typeof ret !== 'number' || ret < 0) return undefined;
  ahead.some((event) => {
    if ((event.kind !== 'ioctl' && event.kind !== 'fd') || event.pid !== pid || event.fd === undefined)
      return false;
    const { handle, fd } = event;
    const isIt = handle?.kind === 'partition' ? isOpen && fd === ret : handle?.kind === 'vp' && vps.has(fd);
    if (!isIt) return false;
    if (handle?.kind === 'partition' || handle?.kind === 'vp') found = handle.partition;
    if (event.kind === 'ioctl' && event.out?.handle?.kind === 'vp' && typeof event.ret === 'number')
      vps.add(event.ret);
    if (event.kind === 'fd' && event.what === 'close') {
      vps.delete(fd);
      // From here on the number may be another partition's; its VPs may still tell.
      if (fd === ret) isOpen = false;
      if (!isOpen && vps.size === 0) return true;
    }
    return found !== undefined;
  });
  return found;
}
