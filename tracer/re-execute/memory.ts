import { constantNumber } from '../../engine/abi/index.ts';
import { EXECUTE, type GuestPage, PAGE_BYTES, READ, WRITE } from '../../engine/cpu/index.ts';
import { cellAt, GPA, type Overlay, overlaysOf, PARTITION, VP } from '../../engine/hypervisor/index.ts';
import type { Machine } from '../../engine/machine/machine.ts';
import { keyOf, type ObjectId, TOP } from '../../engine/state/store.ts';
import { Given, type Piece } from '../emulate/capture/given.ts';
import { HYPERCALL_CODE, isOfPartition, OVERLAY_PERMISSIONS } from '../emulate/vp/overlays.ts';
import type { ProcessorMemory } from '../emulate/vp/processor-memory.ts';

const FLAGS: readonly (readonly [flag: number, permission: number])[] = [
  [constantNumber('HV_MAP_GPA_READABLE'), READ],
  [constantNumber('HV_MAP_GPA_WRITABLE'), WRITE],
  [constantNumber('HV_MAP_GPA_EXECUTABLE'), EXECUTE],
];

/** Guest pages and what is behind them: the program's memory from an address on, or a page of the hypervisor. */
interface Region {
  readonly page: number;
  readonly pages: number;
  readonly permissions: number;
  readonly from: number | string;
}

/** A page that the guest was about to write: the guest's number of it, and how it was. */
export interface Touched {
  readonly page: number;
  readonly before: Uint8Array;
  readonly now: Uint8Array;
}

/** The memory of a partition's guest, from the trace alone; as ../emulate/supervisor/partition-memory.ts has it while it is recorded. */
export class RecordedMemory implements ProcessorMemory {
  readonly given = new Given<Piece>();
  version = 0;
  readonly #partition: bigint;
  /** By the address in the program. What nobody wrote is zero. */
  readonly #contents = new Map<number, Uint8Array>();
  readonly #overlays = new Map<string, Uint8Array>();
  /** Pages of the hypervisor that are there now, by VP and name. */
  readonly #placed = new Map<string, Uint8Array>();
  readonly #pages = new Map<number, GuestPage>();
  readonly #touched = new Map<number, Touched>();
  #regions: readonly Region[] = [];
  #last = '';
  #hasChanged = true;

  constructor(partition: bigint) {
    this.#partition = partition;
  }

  /** What the engine has mapped may have changed. */
  changed(): void {
    this.#hasChanged = true;
  }

  /** Nothing changes while a processor runs. */
  refresh(): boolean {
    return false;
  }

  /** Takes over what the engine has mapped now. */
  follow(machine: Machine): void {
    const { store } = machine;
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    const partition = store.find(TOP, PARTITION, keyOf(this.#partition));
    const regions = partition === undefined ? [] : this.#placeOverlays(machine, partition);
    for (const id of partition === undefined ? [] : store.children(partition, GPA)) {
      const start = Number(store.key(id));
      const end = start + store.number(cellAt(id, GPA.slots.pages));
      const flags = store.low(cellAt(id, GPA.slots.flags));
      const permissions = FLAGS.reduce((all, [flag, one]) => ((flags & flag) === 0 ? all : all | one), 0);
      for (const { page, pages, address } of this.given.pieces) {
        const from = Math.max(start, page);
        const to = Math.min(end, page + pages);
        if (from >= to) continue;
        regions.push({
          page: from,
          pages: to - from,
          permissions,
          from: address + (from - page) * PAGE_BYTES,
        });
      }
    }
    const text = JSON.stringify(regions);
    if (text === this.#last) return;
    this.#last = text;
    this.#regions = regions;
    this.#pages.clear();
    this.version++;
  }

  page(gpaPage: number): GuestPage | undefined {
    const known = this.#pages.get(gpaPage);
    if (known !== undefined) return known;
    const region = this.#regionOf(gpaPage);
    if (region === undefined) return undefined;
    const { from, permissions } = region;
    const bytes =
      typeof from === 'string'
        ? this.#overlay(from)
        : this.contentAt(from + (gpaPage - region.page) * PAGE_BYTES);
    const page = { bytes, permissions };
    this.#pages.set(gpaPage, page);
    return page;
  }

  written(gpaPage: number): void {
    const region = this.#regionOf(gpaPage);
    if (region === undefined || typeof region.from === 'string') return;
    const address = region.from + (gpaPage - region.page) * PAGE_BYTES;
    if (this.#touched.has(address)) return;
    const now = this.contentAt(address);
    this.#touched.set(address, { page: gpaPage, before: now.slice(), now });
  }

  /** What the guest may have written since this was last asked. */
  takeTouched(): Touched[] {
    const touched = [...this.#touched.values()];
    this.#touched.clear();
    return touched.sort((one, other) => one.page - other.page);
  }

  /** The page that the program gave for one of the guest's; undefined where it gave none. */
  behind(gpaPage: number): Uint8Array | undefined {
    const piece = this.given.at(gpaPage);
    return piece === undefined
      ? undefined
      : this.contentAt(piece.address + (gpaPage - piece.page) * PAGE_BYTES);
  }

  contentAt(address: number): Uint8Array {
    let content = this.#contents.get(address);
    if (content === undefined) {
      content = new Uint8Array(PAGE_BYTES);
      this.#contents.set(address, content);
    }
    return content;
  }

  allows(gpa: bigint, access: 'read' | 'write'): boolean {
    const region = this.#regionOf(pageOf(gpa));
    return region !== undefined && (region.permissions & (access === 'read' ? READ : WRITE)) !== 0;
  }

  isMapped(gpa: bigint): boolean {
    return this.#regionOf(pageOf(gpa)) !== undefined;
  }

  read(gpa: bigint, length: number): Uint8Array | undefined {
    if (!this.allows(gpa, 'read')) return undefined;
    const at = Number(gpa % BigInt(PAGE_BYTES));
    return this.page(pageOf(gpa))?.bytes.slice(at, at + length);
  }

  write(gpa: bigint, bytes: Uint8Array): void {
    if (!this.allows(gpa, 'write')) return;
    this.written(pageOf(gpa));
    this.page(pageOf(gpa))?.bytes.set(bytes, Number(gpa % BigInt(PAGE_BYTES)));
  }

  readOverlay(vp: number, name: Overlay, offset: number, length: number): Uint8Array | undefined {
    return this.#placed.get(`${name} ${vp}`)?.slice(offset, offset + length);
  }

  writeOverlay(vp: number, name: Overlay, offset: number, bytes: Uint8Array): void {
    this.#placed.get(`${name} ${vp}`)?.set(bytes, offset);
  }

  prepareOverlay(vp: number, name: 'SIMP' | 'SIEFP', bytes: Uint8Array): void {
    this.#overlay(overlayKey(vp, name)).set(bytes);
  }

  #overlay(key: string): Uint8Array {
    let bytes = this.#overlays.get(key);
    if (bytes === undefined) {
      bytes = new Uint8Array(PAGE_BYTES);
      if (key === 'HYPERCALL') bytes.set(HYPERCALL_CODE);
      this.#overlays.set(key, bytes);
    }
    return bytes;
  }

  #placeOverlays(machine: Machine, partition: ObjectId): Region[] {
    const regions = new Map<number, Region>();
    this.#placed.clear();
    for (const id of machine.store.children(partition, VP)) {
      const vp = Number(machine.store.key(id));
      for (const { name, frame } of overlaysOf(machine, id)) {
        const from = overlayKey(vp, name);
        this.#placed.set(`${name} ${vp}`, this.#overlay(from));
        const page = Number(frame);
        if (!regions.has(page))
          regions.set(page, { page, pages: 1, permissions: OVERLAY_PERMISSIONS[name], from });
      }
    }
    return [...regions.values()];
  }

  #regionOf(page: number): Region | undefined {
    return this.#regions.find((region) => page >= region.page && page < region.page + region.pages);
  }
}

const pageOf = (gpa: bigint): number => Number(gpa / BigInt(PAGE_BYTES));

const overlayKey = (vp: number, name: Overlay): string => (isOfPartition(name) ? name : `${name} ${vp}`);
