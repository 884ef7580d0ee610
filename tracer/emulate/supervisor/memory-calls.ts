import { ERRNO } from '../../native/numbers.ts';
import { mappingsOf } from '../../process/mappings.ts';
import { shareAndAnswer } from '../memory/guest-ram.ts';
import type { DeviceFile } from './device-file.ts';
import type { Call, Host } from './host.ts';
import type { MemoryCall } from './memory-call.ts';

const PAGE_BYTES = 4096;
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
    host.capture?.of(handle.partition).take(memory.page, memory.size / PAGE_BYTES);
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
  else {
    const { pid } = process;
    const { page, address } = memory;
    guest.give(page, host.capture?.of(handle.partition).give(pid, page, address, runs) ?? runs);
  }
}
