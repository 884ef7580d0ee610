import type { GuestPage } from '../../../engine/cpu/index.ts';
import { viewOf } from '../../native/libc.ts';
import { PAGE_BYTES, type ProcessorMemory } from './processor-memory.ts';

/** Room for regions at first: one for each range of the program's memory, split where its mappings are. It doubles. */
const FIRST = 64;
/** A process has no more mappings than that (Linux: vm.max_map_count, 65530 unless somebody raised it). */
const MOST = 1 << 16;
const FIELDS = 4;
/** The version and the word of the pairs, the number of regions. */
const HEAD = 2;
const bytesFor = (regions: number) => 8 * (HEAD + regions * FIELDS);
/** What one view of memory covers; it may be more than is mapped there. */
const CHUNK_BYTES = 1 << 16;

/** A range of guest pages and where this process has it. */
export interface GuestRegion {
  readonly page: number;
  readonly pages: number;
  readonly address: number;
  readonly permissions: number;
}

/** The regions of a partition, in memory that the supervisor writes and the threads of its VPs read. */
export class MemoryMap {
  readonly shared: SharedArrayBuffer;
  readonly #words: Float64Array;
  readonly #version: Int32Array<SharedArrayBuffer>;
  /** Who has it replaces 16 bytes of the guest: `GuestMemory.pairs`. */
  readonly pairs: Int32Array<SharedArrayBuffer>;

  constructor(shared = new SharedArrayBuffer(bytesFor(FIRST), { maxByteLength: bytesFor(MOST) })) {
    this.shared = shared;
    this.#words = new Float64Array(shared);
    this.#version = new Int32Array(shared, 0, 1);
    this.pairs = new Int32Array(shared, 4, 1);
  }

  /** Changes with the regions; odd while they are being replaced. */
  get version(): number {
    return Atomics.load(this.#version, 0);
  }

  /** Replaces all regions; false when there are too many. */
  set(regions: readonly GuestRegion[]): boolean {
    if (regions.length > MOST) return false;
    // The views, here and in the threads, are as long as it is.
    while (this.shared.byteLength < bytesFor(regions.length))
      this.shared.grow(Math.min(2 * this.shared.byteLength, bytesFor(MOST)));
    Atomics.add(this.#version, 0, 1);
    this.#words[1] = regions.length;
    regions.forEach(({ page, pages, address, permissions }, index) => {
      this.#words.set([page, pages, address, permissions], HEAD + index * FIELDS);
    });
    Atomics.add(this.#version, 0, 1);
    return true;
  }

  regions(): GuestRegion[] {
    return Array.from({ length: this.#words[1] as number }, (_, index) => {
      const at = HEAD + index * FIELDS;
      const [page = 0, pages = 0, address = 0, permissions = 0] = this.#words.subarray(at, at + FIELDS);
      return { page, pages, address, permissions };
    });
  }
}

/** Guest memory as a processor sees it, from the regions as they were when it was made. */
export class MappedMemory implements ProcessorMemory {
  readonly #map: MemoryMap;
  readonly pairs: Int32Array<SharedArrayBuffer>;
  /** Hears of a page before the guest writes to it. */
  written?: (gpaPage: number) => void;
  readonly #views = new Map<number, Uint8Array>();
  readonly #pages = new Map<number, GuestPage>();
  #regions: GuestRegion[] = [];
  #version = -1;

  constructor(map: MemoryMap) {
    this.#map = map;
    this.pairs = map.pairs;
  }

  /** Changes with what {@link refresh} takes over. */
  get version(): number {
    return this.#version;
  }

  /** Takes over what was changed; true if something was. */
  refresh(): boolean {
    let { version } = this.#map;
    if (version === this.#version) return false;
    for (;;) {
      this.#regions = this.#map.regions();
      const before = version;
      version = this.#map.version;
      if (version === before && version % 2 === 0) break;
    }
    this.#version = version;
    this.#pages.clear();
    this.#views.clear();
    return true;
  }

  page(gpaPage: number): GuestPage | undefined {
    const known = this.#pages.get(gpaPage);
    if (known !== undefined) return known;
    const region = this.#regions.find(({ page, pages }) => gpaPage >= page && gpaPage < page + pages);
    if (region === undefined) return undefined;
    const bytes = this.#bytesAt(region.address, (gpaPage - region.page) * PAGE_BYTES);
    const page = { bytes, permissions: region.permissions };
    this.#pages.set(gpaPage, page);
    return page;
  }

  /** A page of this process's memory, out of a view of what stands around it: a view of a whole region would count as memory in use. */
  #bytesAt(region: number, offset: number): Uint8Array {
    const within = offset % CHUNK_BYTES;
    const chunk = region + offset - within;
    let view = this.#views.get(chunk);
    if (view === undefined) {
      view = viewOf(chunk, CHUNK_BYTES);
      this.#views.set(chunk, view);
    }
    return view.subarray(within, within + PAGE_BYTES);
  }
}
