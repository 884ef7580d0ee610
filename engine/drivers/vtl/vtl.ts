import { fieldOf, readU32, readU64 } from '../../abi/index.ts';
import { cellAt, UNMODELLED } from '../../hypervisor/index.ts';
import type { Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import { keyOf } from '../../state/store.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { VTL_MEMORY, VTL_POLL } from '../cells/vtl.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import { onlineCpus } from '../kernel/objects.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { vtlOf } from './files.ts';

const RULE = 'Linux.vtl.memory';
const POLL_RULE = 'Linux.vtl.poll-file';
const RANGE = {
  bytes: 16,
  start: fieldOf('mshv_vtl_ram_disposition', 'start_pfn'),
  end: fieldOf('mshv_vtl_ram_disposition', 'last_pfn'),
};
const POLL = {
  bytes: 8,
  cpu: fieldOf('mshv_vtl_set_poll_file', 'cpu'),
  fd: fieldOf('mshv_vtl_set_poll_file', 'fd'),
};

/**
 * Pages of VTL 0, `last_pfn` not among them, become memory that can be mapped, for good. The kernel refuses what it has already
 * (devm_memremap_pages); that a range is its own RAM the trace does not show.
 */
function addMemory(context: Context, _actor: Actor, _event: IoctlEvent, arg: Uint8Array): Outcome {
  const [start, end] = [readU64(arg, RANGE.start), readU64(arg, RANGE.end)];
  if (end <= start) return { ret: failure('EFAULT'), rule: RULE };
  const { store } = context;
  const vtl = vtlOf(context);
  const overlaps = store.children(vtl, VTL_MEMORY).some((id) => {
    return BigInt(store.key(id)) < end && store.get(cellAt(id, VTL_MEMORY.slots.end)) > start;
  });
  if (overlaps) return { ret: failure('EFAULT'), rule: RULE };
  store.set(cellAt(store.create(vtl, VTL_MEMORY, keyOf(start)), VTL_MEMORY.slots.end), end);
  return { ret: 0, rule: RULE };
}

/** One file for each CPU, in place of the one before; that a descriptor is none stands as recorded. */
function setPollFile(context: Context, _actor: Actor, event: IoctlEvent, arg: Uint8Array): Outcome {
  const cpu = readU32(arg, POLL.cpu);
  if (!onlineCpus(context).includes(cpu)) return { ret: failure('EINVAL'), rule: POLL_RULE };
  if (event.ret === failure('EBADFD')) return { ret: event.ret, rule: UNMODELLED };
  const { store } = context;
  const vtl = vtlOf(context);
  const poll = store.find(vtl, VTL_POLL, cpu) ?? store.create(vtl, VTL_POLL, cpu);
  store.set(cellAt(poll, VTL_POLL.slots.fd), readU32(arg, POLL.fd));
  store.set(cellAt(poll, VTL_POLL.slots.pid), event.pid ?? 0);
  return { ret: 0, rule: POLL_RULE };
}

/** Memory and poll files of a VTL (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_vtl_ioctl). */
export const MEMORY_IOCTLS: readonly IoctlRow[] = [
  { fd: 'vtl', name: 'MSHV_ADD_VTL0_MEMORY', argBytes: RANGE.bytes, enter: addMemory },
  { fd: 'vtl', name: 'MSHV_SET_POLL_FILE', argBytes: POLL.bytes, enter: setPollFile },
];
