import { constantNumber } from '../../../engine/abi/index.ts';
import { EXECUTE, READ, WRITE } from '../../../engine/cpu/index.ts';
import { cellAt, GPA, PARTITION } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { keyOf, TOP } from '../../../engine/state/store.ts';
import type { SharedRun } from '../memory/guest-ram.ts';
import { type GuestRegion, MemoryMap } from '../vp/memory-map.ts';

const PAGE_BYTES = 4096;
const FLAGS: readonly (readonly [flag: number, permission: number])[] = [
  [constantNumber('HV_MAP_GPA_READABLE'), READ],
  [constantNumber('HV_MAP_GPA_WRITABLE'), WRITE],
  [constantNumber('HV_MAP_GPA_EXECUTABLE'), EXECUTE],
];

/** Guest pages and where this process has what the program gave for them. */
interface Backing {
  readonly page: number;
  readonly pages: number;
  readonly address: number;
}

/**
 * The memory of one partition's guest: what the program gave (its bytes) and what the engine has mapped (which of it
 * the guest sees, and how).
 */
export class PartitionMemory {
  readonly map = new MemoryMap();
  readonly #partition: bigint;
  #backing: Backing[] = [];
  #last = '';

  constructor(partition: bigint) {
    this.#partition = partition;
  }

  /** The program gave memory for the guest's pages from `page` on. */
  give(page: number, runs: readonly SharedRun[]): void {
    let next = page;
    for (const { address, length } of runs) {
      const pages = length / PAGE_BYTES;
      this.take(next, pages);
      this.#backing.push({ page: next, pages, address });
      next += pages;
    }
  }

  /** The program took memory back. What is mapped in this process stays: a thread may still look at it. */
  take(page: number, pages: number): void {
    this.#backing = this.#backing.filter((other) => other.page < page || other.page >= page + pages);
  }

  /** Puts what the engine has mapped now where the processors see it. */
  refresh({ store }: Machine): void {
    const partition = store.find(TOP, PARTITION, keyOf(this.#partition));
    const regions: GuestRegion[] = [];
    for (const id of partition === undefined ? [] : store.children(partition, GPA)) {
      const start = Number(store.key(id));
      const end = start + store.number(cellAt(id, GPA.slots.pages));
      const permissions = permissionsOf(store.low(cellAt(id, GPA.slots.flags)));
      for (const { page, pages, address } of this.#backing) {
        const from = Math.max(start, page);
        const to = Math.min(end, page + pages);
        if (from >= to) continue;
        regions.push({
          page: from,
          pages: to - from,
          address: address + (from - page) * PAGE_BYTES,
          permissions,
        });
      }
    }
    const text = JSON.stringify(regions);
    if (text === this.#last) return;
    this.#last = text;
    if (!this.map.set(regions)) throw new Error('guest memory in too many pieces');
  }
}

function permissionsOf(flags: number): number {
  return FLAGS.reduce((all, [flag, permission]) => ((flags & flag) === 0 ? all : all | permission), 0);
}
