import type { Overlay } from '../../../engine/hypervisor/index.ts';
import { syscall } from '../../native/libc.ts';
import { MMAP, NR } from '../../native/numbers.ts';
import { isOfPartition } from '../vp/overlays.ts';

const PAGE_BYTES = 4096;

/**
 * Pages of the hypervisor that lie over the memory of one partition's guest: zero when they are first seen, and what stands
 * in them stays when they are moved (TLFS, overlay pages). A reference TSC page of zeros says that it is not to be used, until
 * ./reference-time-page.ts has filled it.
 */
export class OverlayPages {
  readonly #addresses = new Map<string, number>();

  /** Where this process has the page of a VP. */
  address(vp: number, name: Overlay): number {
    const key = isOfPartition(name) ? name : `${name} ${vp}`;
    let address = this.#addresses.get(key);
    if (address === undefined) {
      address = syscall(NR.mmap, 0, PAGE_BYTES, MMAP.readWrite, MMAP.shared | MMAP.anonymous, -1, 0);
      if (address < 0) throw new Error(`no memory for a page of the hypervisor: errno ${-address}`);
      this.#addresses.set(key, address);
    }
    return address;
  }

  /** Nobody sees them any more. */
  release(): void {
    for (const address of this.#addresses.values()) syscall(NR.munmap, address, PAGE_BYTES);
    this.#addresses.clear();
  }
}
