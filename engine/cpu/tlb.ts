/** Translations that one privilege may use: one entry a page, direct mapped, by linear address. */
import { type GuestPage, PAGE_BYTES } from './guest-memory.ts';

/** Translations remembered: 1024 pages = 4 MiB before the first collision. */
export const TLB_SLOTS = 1024;
const SLOT_MASK = TLB_SLOTS - 1;
const PAGE_MASK = -PAGE_BYTES;
const HIGH = 0x1_0000_0000;
/** No page starts here. */
const NO_PAGE = 1;

export class Tlb {
  /** Two words a slot: the halves of the address where the page starts. */
  readonly readTags = new Int32Array(2 * TLB_SLOTS).fill(NO_PAGE);
  readonly writeTags = new Int32Array(2 * TLB_SLOTS).fill(NO_PAGE);
  readonly readViews: DataView[] = [];
  readonly writeViews: DataView[] = [];
  /** What the views are of. */
  readonly readPages: (GuestPage | undefined)[] = [];
  readonly writePages: (GuestPage | undefined)[] = [];

  constructor(none: DataView) {
    for (let slot = 0; slot < TLB_SLOTS; slot += 1) {
      this.readViews.push(none);
      this.writeViews.push(none);
      this.readPages.push(undefined);
      this.writePages.push(undefined);
    }
  }
}

export const slotOf = (linear: number): number => (linear >>> 12) & SLOT_MASK;

/** True where the slot of a linear address is that of its page. */
export function isKnown(tags: Int32Array, linear: number): boolean {
  const at = 2 * slotOf(linear);
  return tags[at] === (linear & PAGE_MASK) && tags[at + 1] === Math.floor(linear / HIGH);
}

export function setTag(tags: Int32Array, linear: number): void {
  const at = 2 * slotOf(linear);
  tags[at] = linear & PAGE_MASK;
  tags[at + 1] = Math.floor(linear / HIGH);
}

export function clearTag(tags: Int32Array, slot: number): void {
  tags[2 * slot] = NO_PAGE;
}

export function clearTags(tags: Int32Array): void {
  tags.fill(NO_PAGE);
}

export const viewOf = ({ bytes }: GuestPage): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, PAGE_BYTES);

/** The view of a page in a slot: the last one, where it was the same page. */
export function viewIn(
  views: DataView[],
  pages: (GuestPage | undefined)[],
  slot: number,
  page: GuestPage,
): DataView {
  if (pages[slot] !== page) {
    pages[slot] = page;
    views[slot] = viewOf(page);
  }
  return views[slot]!;
}
