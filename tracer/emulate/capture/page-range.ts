import { PAGE_BYTES } from './given.ts';

/** Pages of a piece of memory, counted from its first. */
export interface PageRange {
  readonly from: number;
  readonly pages: number;
}

/** What is compared at a time: small enough that few bytes are read again to find the page. */
const MOST_PAGES = 64;

/**
 * The pages of ranges that are not the same in two pieces of memory. What is alike is passed over many pages at a time; only what differs is
 * halved until it is a page.
 */
export function unlike(one: Buffer, other: Buffer, ranges: readonly PageRange[]): number[] {
  const found: number[] = [];
  for (const { from, pages } of ranges) {
    const end = from + pages;
    for (let at = from; at < end; at += MOST_PAGES)
      halve(one, other, at, Math.min(MOST_PAGES, end - at), found);
  }
  return found;
}

function halve(one: Buffer, other: Buffer, from: number, pages: number, found: number[]): void {
  const [start, end] = [from * PAGE_BYTES, (from + pages) * PAGE_BYTES];
  if (one.compare(other, start, end, start, end) === 0) return;
  if (pages === 1) {
    found.push(from);
    return;
  }
  const half = pages >> 1;
  halve(one, other, from, half, found);
  halve(one, other, from + half, pages - half, found);
}
