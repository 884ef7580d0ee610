import { constant, constantNumber } from '../../../engine/abi/index.ts';
import { EXECUTE, READ, WRITE } from '../../../engine/cpu/index.ts';
import { cellAt, GPA, PARTITION, VP } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { keyOf, type ObjectId, TOP } from '../../../engine/state/store.ts';
import { ClientMemory } from '../memory/client-memory.ts';
import type { SharedRun } from '../memory/guest-ram.ts';
import { type GuestRegion, MappedMemory, MemoryMap, OVERLAY } from '../vp/memory-map.ts';
import { hypercallPage } from './hypercall-page.ts';

const PAGE_BYTES = 4096;
const HYPERCALL_ENABLE = constant('HV_X64_MSR_HYPERCALL_ENABLE');
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
  /** The same as the processors in this thread see it. */
  readonly mapped = new MappedMemory(this.map);
  readonly #partition: bigint;
  readonly #bytes = new ClientMemory();
  #backing: Backing[] = [];
  #regions: readonly GuestRegion[] = [];
  #last = '';
  #hasChanged = true;

  constructor(partition: bigint) {
    this.#partition = partition;
  }

  /** What the engine has mapped may have changed. */
  changed(): void {
    this.#hasChanged = true;
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
    this.changed();
  }

  /** The program took memory back. What is mapped in this process stays: a thread may still look at it. */
  take(page: number, pages: number): void {
    this.#backing = this.#backing.filter((other) => other.page < page || other.page >= page + pages);
    this.changed();
  }

  /** Puts what the engine has mapped now where the processors see it. */
  refresh({ store }: Machine): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    const partition = store.find(TOP, PARTITION, keyOf(this.#partition));
    const regions = partition === undefined ? [] : overlays(store, partition);
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
    this.#regions = regions;
    if (!this.map.set(regions)) throw new Error('guest memory in too many pieces');
  }

  /** Whether the guest may access the page of an address so, as the engine has mapped it. */
  allows(gpa: bigint, access: 'read' | 'write'): boolean {
    const region = this.#regionOf(gpa);
    return region !== undefined && (region.permissions & (access === 'read' ? READ : WRITE)) !== 0;
  }

  /** Whether the guest has a page there, whatever it may do with it. */
  isMapped(gpa: bigint): boolean {
    return this.#regionOf(gpa) !== undefined;
  }

  /** Bytes of one page of the guest; undefined where it cannot read them. */
  read(gpa: bigint, length: number): Uint8Array | undefined {
    return this.allows(gpa, 'read') ? this.#bytes.read(process.pid, this.#addressOf(gpa), length) : undefined;
  }

  /** Puts bytes into one page of the guest; false where it cannot write there. */
  write(gpa: bigint, bytes: Uint8Array): boolean {
    return this.allows(gpa, 'write') && this.#bytes.write(process.pid, this.#addressOf(gpa), bytes);
  }

  #regionOf(gpa: bigint): GuestRegion | undefined {
    const page = Number(gpa / BigInt(PAGE_BYTES));
    return this.#regions.find((region) => page >= region.page && page < region.page + region.pages);
  }

  #addressOf(gpa: bigint): number {
    const region = this.#regionOf(gpa);
    return region === undefined ? 0 : region.address + Number(gpa) - region.page * PAGE_BYTES;
  }
}

/** Pages of the hypervisor that hide what the guest has at their place; the first region that has a page counts. */
function overlays(store: Machine['store'], partition: ObjectId): GuestRegion[] {
  const { hypercall } = VP.slots.reg;
  for (const vp of store.children(partition, VP)) {
    const register = store.get(cellAt(vp, hypercall));
    if ((register & HYPERCALL_ENABLE) === 0n) continue;
    const page = Number(register / BigInt(PAGE_BYTES));
    return [{ page, pages: 1, address: hypercallPage(), permissions: READ | EXECUTE | OVERLAY }];
  }
  return [];
}

function permissionsOf(flags: number): number {
  return FLAGS.reduce((all, [flag, permission]) => ((flags & flag) === 0 ? all : all | permission), 0);
}
