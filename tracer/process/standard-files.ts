import { syscall } from '../native/libc.ts';
import { NR } from '../native/numbers.ts';

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/**
 * Takes O_NONBLOCK off the standard output files. Node puts it on a pipe that it has looked at, and the program shares
 * the open file: its writes would fail when the reader is slow.
 */
export function makeOutputBlocking(): void {
  for (const fd of [1, 2]) {
    const flags = syscall(NR.fcntl, fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) !== 0) syscall(NR.fcntl, fd, F_SETFL, flags & ~O_NONBLOCK);
  }
}
