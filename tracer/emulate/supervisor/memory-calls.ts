import { ERRNO } from '../../native/numbers.ts';
import { mappingsOf } from '../../process/mappings.ts';
import { type Shared, share } from '../memory/guest-ram.ts';
import type { DeviceFile } from './device-file.ts';
import type { Call, Host } from './host.ts';
import type { MemoryCall } from './memory-call.ts';

const PAGE_BYTES = 4096;

/** Whether a call gives whole pages: any other the driver refuses before it looks at them. */
function givesPages({ gives, size, address }: MemoryCall): boolean {
  return gives && size > 0 && size % PAGE_BYTES === 0 && address % PAGE_BYTES === 0;
}

/** What the kernel says of memory that is not the program's; undefined where it is. */
export function refusedMemory(pid: number, memory: MemoryCall): number | undefined {
  if (!givesPages(memory)) return undefined;
  return mappingsOf(pid, memory.address, memory.size) === undefined ? -ERRNO.EINVAL : undefined;
}

/**
 * Before the engine hears of a call that gives memory: shares it. A call whose memory cannot be shared has failed with ENOMEM, which
 * a kernel could say too. Undefined for calls that give none.
 */
export function shareMemory(host: Host, call: Call, memory: MemoryCall): Shared | undefined {
  const { process, tid, id } = call;
  if (!givesPages(memory)) return undefined;
  const giving = {
    pid: process.pid,
    tid,
    answer: (result: number) => void host.listener.answer(id, result),
    addFd: (fd: number) => host.listener.addFd(id, fd, undefined, { closeOnExec: true, answers: false }),
  };
  const shared = share(host.memory, giving, memory.address, memory.size);
  if (shared.runs === undefined)
    host.lacks({ component: 'vmm', pid: process.pid, tid }, "the program's memory cannot be shared: ENOMEM");
  return shared;
}

/** The engine has said what the call comes to: the guest gets the memory, or loses it, and the call ends. */
export function finishMemoryCall(
  host: Host,
  call: Call,
  { handle }: DeviceFile,
  memory: MemoryCall,
  shared: Shared | undefined,
  ret: number,
): void {
  const runs = shared?.runs ?? [];
  if (ret === 0 && handle.kind === 'partition' && handle.partition !== undefined) {
    const guest = host.guests.memoryOf(handle.partition);
    const capture = host.capture?.of(handle.partition);
    const { page, size, address } = memory;
    call.process.gives ||= memory.gives;
    if (memory.gives) guest.give(page, capture?.give(call.process.pid, page, address, runs) ?? runs);
    else {
      guest.take(page, size / PAGE_BYTES);
      capture?.take(page, size / PAGE_BYTES);
    }
    host.guests.memoryChanged(handle.partition);
  } else for (const run of runs) run.release();
  if (shared === undefined) host.listener.answer(call.id, ret);
  else shared.answer(ret);
}
