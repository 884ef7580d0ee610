import { Arena } from '../../native/arena.ts';
import { syscall3 } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';

/** An eventfd that other threads write to when there is something to look at. */
export class Wake {
  readonly fd: number;
  readonly #word = new Arena(8);

  constructor(fd: number) {
    this.fd = fd;
  }

  clear(): void {
    syscall3(NR.read, this.fd, this.#word.address, 8);
  }
}
