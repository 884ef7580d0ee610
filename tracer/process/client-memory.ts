import { Arena } from '../native/arena.ts';
import { syscall } from '../native/libc.ts';
import { NR } from '../native/numbers.ts';

/** User space ends here on x86-64 with four levels of pages; an address beyond it is never readable. */
const TOP = 2 ** 47;
/** What one transfer takes; the driver reads no buffer that is longer (MSHV_SET_MSI_ROUTING: 64 KiB). */
export const MAX_TRANSFER = 1 << 20;
/** struct iovec: one of ours, then one or two of the program's. */
const VECTOR = 16;
const VECTORS = 3 * VECTOR;
const PAGE = 4096;

/** Bytes that a pointer leads to. */
export interface Piece {
  readonly pointer: number;
  readonly length: number;
}

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

  /** Two pieces of memory in one system call; undefined where they are not all readable. */
  readBoth(pid: number, one: Piece, two: Piece): readonly [Uint8Array, Uint8Array] | undefined {
    const length = one.length + two.length;
    if (length > MAX_TRANSFER || one.pointer + one.length > TOP || two.pointer + two.length > TOP)
      return undefined;
    this.#vector(0, this.#data.address, length);
    this.#vector(1, one.pointer, one.length);
    this.#vector(2, two.pointer, two.length);
    const { address } = this.#vectors;
    if (syscall(NR.process_vm_readv, pid, address, 1, address + VECTOR, 2, 0) !== length) return undefined;
    const { bytes } = this.#data;
    return [bytes.slice(0, one.length), bytes.slice(one.length, length)];
  }

  /** Copies bytes to an address of this process; false where they are not all readable. */
  copy(pid: number, address: number, length: number, target: number): boolean {
    return this.#transfer(NR.process_vm_readv, pid, address, length, target) === length;
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

  #transfer(nr: number, pid: number, address: number, length: number, own = this.#data.address): number {
    if (length > MAX_TRANSFER || address + length > TOP) return -1;
    const { address: vectors } = this.#vectors;
    this.#vector(0, own, length);
    this.#vector(1, address, length);
    return syscall(nr, pid, vectors, 1, vectors + VECTOR, 1, 0);
  }

  #vector(index: number, address: number, length: number): void {
    this.#vectors.setU64(index * VECTOR, address);
    this.#vectors.setU64(index * VECTOR + 8, length);
  }
}
