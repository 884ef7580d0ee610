import type { GuestPage } from '../../engine/cpu/index.ts';
import type { Overlay } from '../../engine/hypervisor/index.ts';
import type { Machine } from '../../engine/machine/machine.ts';
import { Given, type Piece } from '../emulate/capture/given.ts';
import { guestRegions, type Region, regionAt } from '../emulate/supervisor/guest-pages.ts';
import { HYPERCALL_CODE, isOfPartition } from '../emulate/vp/overlays.ts';
import { PAGE_BYTES, type ProcessorMemory, pageOf, READ, WRITE } from '../emulate/vp/processor-memory.ts';

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
  /** Those of the hypervisor by the keys of their pages. */
  #regions: readonly Region<string>[] = [];
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
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    this.#placed.clear();
    const regions = guestRegions(machine, this.#partition, this.given.pieces, (vp, name) => {
      const key = overlayKey(vp, name);
      this.#placed.set(`${name} ${vp}`, this.#overlay(key));
      return key;
    });
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
    const region = regionAt(this.#regions, gpaPage);
    if (region === undefined) return undefined;
    const { address, permissions } = region;
    const bytes =
      typeof address === 'string'
        ? this.#overlay(address)
        : this.contentAt(address + (gpaPage - region.page) * PAGE_BYTES);
    const page = { bytes, permissions };
    this.#pages.set(gpaPage, page);
    return page;
  }

  written(gpaPage: number): void {
    const region = regionAt(this.#regions, gpaPage);
    if (region === undefined || typeof region.address === 'string') return;
    const address = region.address + (gpaPage - region.page) * PAGE_BYTES;
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
    const region = regionAt(this.#regions, pageOf(gpa));
    return region !== undefined && (region.permissions & (access === 'read' ? READ : WRITE)) !== 0;
  }

  isMapped(gpa: bigint): boolean {
    return regionAt(this.#regions, pageOf(gpa)) !== undefined;
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
}

const overlayKey = (vp: number, name: Overlay): string => (isOfPartition(name) ? name : `${name} ${vp}`);
