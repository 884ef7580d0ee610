import { guestsOf } from '../../../engine/drivers/index.ts';
import { mappingsWithin } from '../../process/mappings.ts';
import { type Call, type Host, stamp } from './host.ts';

const PAGE_BYTES = 4096;

/** mremap()'s flags: it may move, and where to is said. */
const MOVES_TO = 3;

/** munmap(): what it takes of a VP's pages is noted; the kernel does it. */
export function unmap(host: Host, call: Call): void {
  const { process, tid, args } = call;
  const [address, size] = args;
  if (process.mapped && address % PAGE_BYTES === 0) {
    const end = address + Math.ceil(size / PAGE_BYTES) * PAGE_BYTES;
    for (const mapping of mappingsWithin(process.pid, address, end - address)) {
      const file = host.files.named(mapping.path);
      if (file === undefined) continue;
      const from = Math.max(address, mapping.start);
      host.live.feed({
        ...stamp(host, process, tid),
        kind: 'fd',
        what: 'munmap',
        handle: file.handle,
        addr: BigInt(from),
        size: BigInt(Math.min(end, mapping.end) - from),
        offset: BigInt(mapping.offset + from - mapping.start),
        ret: 0,
      });
    }
  }
  giveUp(host, call, address, size);
  host.listener.proceed(call.id);
}

/**
 * mremap(): memory that is moved to a place, or becomes less, is no longer where it was; the kernel does it. Where the kernel chooses the place nobody
 * knows yet whether it moves.
 */
export function remap(host: Host, call: Call): void {
  const [address, size, left, flags, to] = call.args;
  if (flags === MOVES_TO) {
    giveUp(host, call, address, size);
    giveUp(host, call, to, left);
  } else if (left < size) giveUp(host, call, address + left, size - left);
  host.listener.proceed(call.id);
}

/** Memory that the process gives up: guests that have it lose it where the driver lets it move. */
function giveUp(host: Host, { process, tid }: Call, from: number, size: number): void {
  if (!process.gives || from % PAGE_BYTES !== 0) return;
  const bytes = BigInt(Math.ceil(size / PAGE_BYTES) * PAGE_BYTES);
  const memory = { pid: process.pid, address: BigInt(from), bytes };
  const partitions = guestsOf(host.live.machine, memory);
  if (partitions.length === 0) return;
  const { returned } = host.live.feed({
    ...stamp(host, process, tid),
    kind: 'fd',
    what: 'munmap',
    addr: memory.address,
    size: bytes,
    ret: 0,
  });
  host.returned(returned);
  for (const partition of partitions) host.guests.memoryChanged(partition);
  host.guests.step();
}
