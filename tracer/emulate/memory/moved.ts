import { syscall } from '../../native/libc.ts';
import { NR } from '../../native/numbers.ts';
import { mappingsWithin } from '../../process/mappings.ts';

/** User space ends here on x86-64 with four levels of pages. */
const TOP = 2 ** 47;

/** Memory that was moved from a process into a memfd, which this process has mapped too. */
interface Moved {
  readonly pid: number;
  readonly address: number;
  readonly length: number;
  /** Pieces of it that guests have. */
  uses: number;
}

/**
 * Memory that was moved stays here for as long as a guest has a part of it or its process has it mapped: the program may give
 * parts of it again. By the inode of its memfd.
 */
const moved = new Map<number, Moved>();

export function addMoved(inode: number, pid: number, address: number, length: number): void {
  moved.set(inode, { pid, address, length, uses: 0 });
}

/** Where this process has moved memory; undefined where that file is none. */
export function movedAddress(inode: number): number | undefined {
  return moved.get(inode)?.address;
}

/** A guest has a piece of it; what is given back is called once, when it no longer does. */
export function useMoved(inode: number): () => void {
  const memory = moved.get(inode);
  if (memory === undefined) throw new Error(`memory with inode ${inode} was not moved`);
  memory.uses++;
  return () => {
    memory.uses--;
    drop(inode, memory);
  };
}

/** A process has ended: what no guest has of its memory goes. */
export function dropMovedOf(pid: number): void {
  for (const [inode, memory] of moved) if (memory.pid === pid) drop(inode, memory);
}

function drop(inode: number, { pid, address, length, uses }: Moved): void {
  if (uses > 0 || isMapped(pid, inode)) return;
  syscall(NR.munmap, address, length);
  moved.delete(inode);
}

function isMapped(pid: number, inode: number): boolean {
  return mappingsWithin(pid, 0, TOP).some((mapping) => mapping.inode === inode);
}
