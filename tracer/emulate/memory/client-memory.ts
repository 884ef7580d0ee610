import { Arena } from '../native/arena.ts';
import { syscall } from '../native/libc.ts';
import { NR } from '../native/numbers.ts';

/** User space ends here on x86-64 with four levels of pages; an address beyond it is never readable. */
const TOP = 2 ** 47;
/** What one transfer takes; the driver reads no buffer that is longer (MSHV_SET_MSI_ROUTING: 64 KiB). */
export const MAX_TRANSFER = 1 << 20;
/** Two struct iovec: ours and the program's. */
const VECTORS = 32;
const PAGE = 4096;

/** Memory of a process of the program. Reads race with its threads, as those of a driver do. */
export class ClientMemory {
  readonly #vectors = new Arena(VECTORS);
  readonly #data = new Arena(MAX_TRANSFER);

  /** A copy of `length` bytes; undefined where they are not all readable (EFAULT). */
  read(pid: number, address: number, length: number): Uint8Array | undefined {
    if (length === 0) return new Uint8Array(0);
    if (this.#transfer(NR.process_vm_readv, pid, address, length) !== length) return undefined;
    return this.#data.bytes.slice(0, length);
  }

  /** False where not all bytes could be written (EFAULT); those before may have been. */
  write(pid: number, address: number, bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    if (bytes.length > MAX_TRANSFER) return false;
    this.#data.bytes.set(bytes);
    return this.#transfer(NR.process_vm_writev, pid, address, bytes.length) === bytes.length;
  }

  /** A path as open() reads it; undefined where it is not readable or longer than PATH_MAX. */
  readPath(pid: number, address: number): string | undefined {
    let read = 0;
    while (read < PAGE) {
      // Up to the end of a page: the next one need not be there.
      const length = Math.min(PAGE - read, PAGE - ((address + read) % PAGE));
      const bytes = this.read(pid, address + read, length);
      if (bytes === undefined) return undefined;
      const end = bytes.indexOf(0);
      const text = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
      if (end >= 0) return read === 0 ? text : `${this.#before(pid, address, read)}${text}`;
      read += length;
    }
    return undefined;
  }

  #before(pid: number, address: number, length: number): string {
    return new TextDecoder().decode(this.read(pid, address, length) ?? new Uint8Array(0));
  }

  #transfer(nr: number, pid: number, address: number, length: number): number {
    if (length > MAX_TRANSFER || address + length > TOP) return -1;
    const { address: vectors } = this.#vectors;
    this.#vectors.setU64(0, this.#data.address);
    this.#vectors.setU64(8, length);
    this.#vectors.setU64(16, address);
    this.#vectors.setU64(24, length);
    return syscall(nr, pid, vectors, 1, vectors + 16, 1, 0);
  }
}
