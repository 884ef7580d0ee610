import { Arena } from './arena.ts';
import { syscall } from './libc.ts';
import { NR } from './numbers.ts';

const POLLIN = 1;
const POLLHUP = 0x10;
/** struct pollfd. */
const ENTRY = 8;
/** struct timespec stands before the entries. */
const ENTRIES = 16;
/** Room for descriptors at first; it doubles. */
const FIRST_ROOM = 64;

/** Waits for descriptors to become readable. */
export class Poll {
  #arena = new Arena(ENTRIES + FIRST_ROOM * ENTRY);
  #fds: number[] = [];

  add(fd: number): void {
    this.#fds.push(fd);
    const { length } = this.#arena.bytes;
    if (ENTRIES + this.#fds.length * ENTRY > length) this.#arena = new Arena(2 * length);
    this.#layout();
  }

  remove(fd: number): void {
    this.#fds = this.#fds.filter((other) => other !== fd);
    this.#layout();
  }

  /** Waits at most `timeoutMs`. Returns false on a time-out or a signal. */
  wait(timeoutMs: number): boolean {
    this.#arena.setU64(0, Math.floor(timeoutMs / 1000));
    this.#arena.setU64(8, Math.floor((timeoutMs % 1000) * 1e6));
    const { address } = this.#arena;
    return syscall(NR.ppoll, address + ENTRIES, this.#fds.length, address) > 0;
  }

  /** After {@link wait}: whether something can be read. */
  isReadable(fd: number): boolean {
    return (this.#events(fd) & POLLIN) !== 0;
  }

  /** After {@link wait}: whether the other side is gone. */
  isHungUp(fd: number): boolean {
    return (this.#events(fd) & POLLHUP) !== 0;
  }

  #events(fd: number): number {
    const index = this.#fds.indexOf(fd);
    return index < 0 ? 0 : this.#arena.view.getUint16(ENTRIES + index * ENTRY + 6, true);
  }

  /** What was known of them stood in other places: the next {@link wait} says it again. */
  #layout(): void {
    const { view } = this.#arena;
    this.#fds.forEach((fd, index) => {
      view.setInt32(ENTRIES + index * ENTRY, fd, true);
      view.setUint32(ENTRIES + index * ENTRY + 4, POLLIN, true);
    });
  }
}
