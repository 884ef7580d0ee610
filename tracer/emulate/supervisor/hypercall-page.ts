import { syscall, viewOf } from '../../native/libc.ts';
import { MMAP, NR } from '../../native/numbers.ts';
import { HYPERCALL_CODE } from '../vp/overlays.ts';

const PAGE_BYTES = 4096;

let address: number | undefined;

/** Where this process has the hypercall page that guests see: one for all of them, which nobody can write. */
export function hypercallPage(): number {
  if (address === undefined) {
    address = syscall(NR.mmap, 0, PAGE_BYTES, MMAP.readWrite, MMAP.shared | MMAP.anonymous, -1, 0);
    if (address < 0) throw new Error(`no memory for the hypercall page: errno ${-address}`);
    viewOf(address, PAGE_BYTES).set(HYPERCALL_CODE);
  }
  return address;
}
