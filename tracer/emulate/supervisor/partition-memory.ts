import type { Overlay } from '../../../engine/hypervisor/index.ts';
import type { Machine } from '../../../engine/machine/machine.ts';
import type { ClientMemory } from '../../process/client-memory.ts';
import { Given, type Piece } from '../capture/given.ts';
import type { SharedRun } from '../memory/guest-ram.ts';
import { type GuestRegion, MappedMemory, MemoryMap } from '../vp/memory-map.ts';
import { PAGE_BYTES, pageOf, READ, WRITE } from '../vp/processor-memory.ts';
import { guestRegions, regionAt } from './guest-pages.ts';
import { hypercallPage } from './hypercall-page.ts';
import { OverlayPages } from './overlay-pages.ts';
import { ReferenceTimePage } from './reference-time-page.ts';

/** Guest pages and where this process has what the program gave for them. */
interface Backing extends Piece {
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
  readonly referenceTime = new ReferenceTimePage();
  readonly #partition: bigint;
  readonly #bytes: ClientMemory;
  readonly #overlays = new OverlayPages();
  /** Addresses of those that are there now, by name and VP. */
  readonly #placed = new Map<Overlay, Map<number, number>>();
  readonly #backing = new Given<Backing>();
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
      const region = regionAt(this.#regions, page);
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
      const { address, length } = run;
      const pages = length / PAGE_BYTES;
      this.#lose(this.#backing.give({ page: next, pages, address, run }));
      next += pages;
    }
    this.changed();
  }

  /** The program took memory back. What is mapped in this process stays until {@link settle}. */
  take(page: number, pages: number): void {
    this.#lose(this.#backing.take(page, pages));
    this.changed();
  }

  #lose(taken: readonly Backing[]): void {
    for (const { run } of taken) this.#lost.push(run);
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
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    this.#placed.clear();
    const regions = guestRegions(machine, this.#partition, this.#backing.pieces, (vp, name) => {
      const address = name === 'HYPERCALL' ? hypercallPage() : this.#overlays.address(vp, name);
      const placed = this.#placed.get(name) ?? new Map<number, number>();
      this.#placed.set(name, placed.set(vp, address));
      return address;
    });
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
    this.mapped.written?.(pageOf(gpa));
    return this.#bytes.write(process.pid, this.#addressOf(gpa), bytes);
  }

  /** Whether the guest of a VP sees a page of the hypervisor. */
  hasOverlay(vp: number, name: Overlay): boolean {
    return this.#addressOfOverlay(vp, name) !== undefined;
  }

  /** Reads a page of the hypervisor that the guest of a VP sees; undefined while it is not there. */
  readOverlay(vp: number, name: Overlay, offset: number, length: number): Uint8Array | undefined {
    const address = this.#addressOfOverlay(vp, name);
    return address === undefined ? undefined : this.#bytes.read(process.pid, address + offset, length);
  }

  writeOverlay(vp: number, name: Overlay, offset: number, bytes: Uint8Array): void {
    const address = this.#addressOfOverlay(vp, name);
    if (address !== undefined) this.#bytes.write(process.pid, address + offset, bytes);
  }

  /** Puts bytes into a page of a VP that the guest may not see yet. */
  prepareOverlay(vp: number, name: 'SIMP' | 'SIEFP', bytes: Uint8Array): void {
    this.#bytes.write(process.pid, this.#overlays.address(vp, name), bytes);
  }

  #addressOfOverlay(vp: number, name: Overlay): number | undefined {
    return this.#placed.get(name)?.get(vp);
  }

  #regionOf(gpa: bigint): GuestRegion | undefined {
    return regionAt(this.#regions, pageOf(gpa));
  }

  #addressOf(gpa: bigint): number {
    const region = this.#regionOf(gpa);
    return region === undefined ? 0 : region.address + Number(gpa) - region.page * PAGE_BYTES;
  }
}
