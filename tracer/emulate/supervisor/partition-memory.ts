import { constantNumber } from '../../../engine/abi/index.ts';
import { EXECUTE, READ, WRITE } from '../../../engine/cpu/index.ts';
import { cellAt, GPA, type Overlay, overlaysOf, PARTITION, VP } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import { keyOf, type ObjectId, TOP } from '../../../engine/state/store.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import type { SharedRun } from '../memory/guest-ram.ts';
import { type GuestRegion, MappedMemory, MemoryMap } from '../vp/memory-map.ts';
import { OVERLAY_PERMISSIONS } from '../vp/overlays.ts';
import { hypercallPage } from './hypercall-page.ts';
import { OverlayPages } from './overlay-pages.ts';

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
  readonly run: SharedRun;
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
  readonly #bytes: ClientMemory;
  readonly #overlays = new OverlayPages();
  /** Addresses of those that are there now, by VP and name. */
  readonly #placed = new Map<string, number>();
  #backing: Backing[] = [];
  /** What the guest has lost, while a thread may still look at it. */
  #lost: SharedRun[] = [];
  #regions: readonly GuestRegion[] = [];
  #last = '';
  #hasChanged = true;

  /** `bytes` accesses memory; one for all partitions, since it has a buffer of its own. */
  constructor(partition: bigint, bytes: ClientMemory) {
    this.#partition = partition;
    this.#bytes = bytes;
  }

  /** `written` hears of each page before the guest, or the hypervisor for it, writes to it, and where this process has the page. */
  watch(written: (page: number, address: number) => void): void {
    this.mapped.written = (page) => {
      const region = this.#regionOf(BigInt(page * PAGE_BYTES));
      if (region !== undefined) written(page, region.address + (page - region.page) * PAGE_BYTES);
    };
  }

  /** What the engine has mapped may have changed. */
  changed(): void {
    this.#hasChanged = true;
  }

  /** The program gave memory for the guest's pages from `page` on. */
  give(page: number, runs: readonly SharedRun[]): void {
    let next = page;
    for (const run of runs) {
      const pages = run.length / PAGE_BYTES;
      this.take(next, pages);
      this.#backing.push({ page: next, pages, run });
      next += pages;
    }
    this.changed();
  }

  /** The program took memory back. What is mapped in this process stays until {@link settle}. */
  take(page: number, pages: number): void {
    const isTaken = (other: Backing) => other.page >= page && other.page < page + pages;
    for (const other of this.#backing) if (isTaken(other)) this.#lost.push(other.run);
    this.#backing = this.#backing.filter((other) => !isTaken(other));
    this.changed();
  }

  /** No thread has a VP of the partition: what its guest has lost goes, those that come next see only what is there. */
  settle(machine: Machine): void {
    if (this.#lost.length === 0) return;
    this.refresh(machine);
    for (const run of this.#lost) run.release();
    this.#lost = [];
  }

  /** The partition is gone, and all that ran its guest. */
  end(machine: Machine): void {
    this.take(0, Number.POSITIVE_INFINITY);
    this.settle(machine);
    this.#overlays.release();
  }

  /** Puts what the engine has mapped now where the processors see it. */
  refresh(machine: Machine): void {
    const { store } = machine;
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    const partition = store.find(TOP, PARTITION, keyOf(this.#partition));
    const regions = partition === undefined ? [] : this.#placeOverlays(machine, partition);
    for (const id of partition === undefined ? [] : store.children(partition, GPA)) {
      const start = Number(store.key(id));
      const end = start + store.number(cellAt(id, GPA.slots.pages));
      const permissions = permissionsOf(store.low(cellAt(id, GPA.slots.flags)));
      for (const { page, pages, run } of this.#backing) {
        const from = Math.max(start, page);
        const to = Math.min(end, page + pages);
        if (from >= to) continue;
        regions.push({
          page: from,
          pages: to - from,
          address: run.address + (from - page) * PAGE_BYTES,
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
    if (!this.allows(gpa, 'write')) return false;
    this.mapped.written?.(Number(gpa / BigInt(PAGE_BYTES)));
    return this.#bytes.write(process.pid, this.#addressOf(gpa), bytes);
  }

  /** Reads a page of the hypervisor that the guest of a VP sees; undefined while it is not there. */
  readOverlay(vp: number, name: Overlay, offset: number, length: number): Uint8Array | undefined {
    const address = this.#placed.get(`${name} ${vp}`);
    return address === undefined ? undefined : this.#bytes.read(process.pid, address + offset, length);
  }

  writeOverlay(vp: number, name: Overlay, offset: number, bytes: Uint8Array): void {
    const address = this.#placed.get(`${name} ${vp}`);
    if (address !== undefined) this.#bytes.write(process.pid, address + offset, bytes);
  }

  /** Puts bytes into a page of a VP that the guest may not see yet. */
  prepareOverlay(vp: number, name: 'SIMP' | 'SIEFP', bytes: Uint8Array): void {
    this.#bytes.write(process.pid, this.#overlays.address(vp, name), bytes);
  }

  /** Pages of the hypervisor hide what the guest has at their place, which is seen again when they go; the first one of a page counts. */
  #placeOverlays(machine: Machine, partition: ObjectId): GuestRegion[] {
    const regions = new Map<number, GuestRegion>();
    this.#placed.clear();
    for (const id of machine.store.children(partition, VP)) {
      const vp = Number(machine.store.key(id));
      for (const { name, frame } of overlaysOf(machine, id)) {
        const address = name === 'HYPERCALL' ? hypercallPage() : this.#overlays.address(vp, name);
        this.#placed.set(`${name} ${vp}`, address);
        const page = Number(frame);
        if (!regions.has(page))
          regions.set(page, { page, pages: 1, address, permissions: OVERLAY_PERMISSIONS[name] });
      }
    }
    return [...regions.values()];
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

function permissionsOf(flags: number): number {
  return FLAGS.reduce((all, [flag, permission]) => ((flags & flag) === 0 ? all : all | permission), 0);
}
