import { mappingsWithin } from '../../process/mappings.ts';
import { type Call, type Host, stamp } from './host.ts';

const PAGE_BYTES = 4096;

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
  host.listener.proceed(call.id);
}
