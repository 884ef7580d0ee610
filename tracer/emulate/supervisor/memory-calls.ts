import { constantNumber, fieldOf, type IoctlRow, readU32, readU64 } from '../../../engine/abi/index.ts';
import { ERRNO } from '../../native/numbers.ts';
import { mappingsOf } from '../../process/mappings.ts';
import { shareAndAnswer } from '../memory/guest-ram.ts';
import type { DeviceFile } from './device-file.ts';
import type { Call, Host } from './host.ts';

const PAGE_BYTES = 4096;
const UPSTREAM = {
  size: fieldOf('mshv_user_mem_region', 'size'),
  page: fieldOf('mshv_user_mem_region', 'guest_pfn'),
  address: fieldOf('mshv_user_mem_region', 'userspace_addr'),
  flags: fieldOf('mshv_user_mem_region', 'flags'),
};
/** The first three fields are the same. */
const RFC = { ...UPSTREAM, flags: fieldOf('rfc2020_mshv_user_mem_region', 'flags') };
const UNMAP = constantNumber('MSHV_SET_MEM_BIT_UNMAP');
const ARGUMENT_BYTES = 32;

/** A call by which the program gives memory to its guest, or takes it back. */
export interface MemoryCall {
  readonly gives: boolean;
  readonly page: number;
  readonly size: number;
  readonly address: number;
}

/** What a call does with guest memory; undefined for all others. */
export function memoryCall(row: IoctlRow | undefined, arg: Uint8Array | undefined): MemoryCall | undefined {
  if (row === undefined || arg === undefined || arg.length < ARGUMENT_BYTES) return undefined;
  const isUpstream = row.name === 'MSHV_SET_GUEST_MEMORY';
  const maps = row.name === 'MSHV_MAP_GUEST_MEMORY';
  if (!isUpstream && !maps && row.name !== 'MSHV_UNMAP_GUEST_MEMORY') return undefined;
  const fields = isUpstream ? UPSTREAM : RFC;
  return {
    gives: isUpstream ? (readU32(arg, fields.flags) & UNMAP) === 0 : maps,
    page: Number(readU64(arg, fields.page)),
    size: Number(readU64(arg, fields.size)),
    address: Number(readU64(arg, fields.address)),
  };
}

/** What the kernel says of memory that is not the program's; undefined where it is. */
export function refusedMemory(pid: number, { gives, size, address }: MemoryCall): number | undefined {
  if (!gives || size === 0 || size % PAGE_BYTES !== 0 || address % PAGE_BYTES !== 0) return undefined;
  return mappingsOf(pid, address, size) === undefined ? -ERRNO.EINVAL : undefined;
}

/** The engine has agreed: the guest gets the memory, or loses it, and the call ends. */
export function finishMemoryCall(host: Host, call: Call, file: DeviceFile, memory: MemoryCall): void {
  const { handle } = file;
  const { process, tid, id } = call;
  if (handle.kind !== 'partition' || handle.partition === undefined) {
    host.listener.answer(id, 0);
    return;
  }
  const guest = host.guests.memoryOf(handle.partition);
  if (!memory.gives) {
    guest.take(memory.page, memory.size / PAGE_BYTES);
    host.listener.answer(id, 0);
    return;
  }
  const answers = {
    pid: process.pid,
    tid,
    answer: (result: number) => void host.listener.answer(id, result),
    addFd: (fd: number) => host.listener.addFd(id, fd, undefined, { closeOnExec: true, answers: false }),
  };
  const runs = shareAndAnswer(host.memory, answers, memory.address, memory.size);
  if (runs === undefined)
    host.lacks({ component: 'vmm', pid: process.pid, tid }, "the program's memory cannot be shared: ENOMEM");
  else guest.give(memory.page, runs);
}
