/**
 * Which rows of a long list are in sight, for rows of one height. Chromium clamps the height of an element near
 * 2^25 px (33,554,428, which is 1.6M rows of 20 px), so above a cap the scroll bar maps to rows by ratio while small
 * moves still scroll by pixels: every row can be reached, and the wheel stays exact.
 */
export const MAX_HEIGHT_PX = 12_000_000;

export interface ListSize {
  readonly count: number;
  readonly rowPx: number;
  /** Height of the window that shows rows. */
  readonly viewPx: number;
}

/** Where the list stands: the row at the upper edge (with its fraction) and the scroll position it belongs to. */
export interface Place {
  readonly first: number;
  readonly scrollPx: number;
}

export const TOP: Place = { first: 0, scrollPx: 0 };

/** Height of the scrolled area. */
export function heightPx({ count, rowPx }: ListSize): number {
  return Math.min(MAX_HEIGHT_PX, count * rowPx);
}

/** Whole rows that fit, at least one. */
export function pageRows({ viewPx, rowPx }: ListSize): number {
  return Math.max(1, Math.floor(viewPx / rowPx));
}

/** The place after the scroll bar moved to `scrollPx`. */
export function scrolled(size: ListSize, now: Place, scrollPx: number): Place {
  const { count, rowPx, viewPx } = size;
  if (count * rowPx <= MAX_HEIGHT_PX) return { first: scrollPx / rowPx, scrollPx };
  const lastPx = Math.max(1, heightPx(size) - viewPx);
  const lastFirst = Math.max(0, count - viewPx / rowPx);
  const byPx = scrollPx - now.scrollPx;
  const first =
    Math.abs(byPx) < viewPx * 2 && scrollPx > 0 && scrollPx < lastPx
      ? now.first + byPx / rowPx
      : (scrollPx / lastPx) * lastFirst;
  return { first: Math.min(lastFirst, Math.max(0, first)), scrollPx };
}

/** Rows that stay in sight beyond the one that is stepped to, where the window has room for them. */
const AHEAD_ROWS = 2;

/** The place that shows `row`: moved as little as possible by a step, with the row in the middle by a jump. */
export function revealing(size: ListSize, now: Place, row: number): Place {
  const fits = size.viewPx / size.rowPx;
  const ahead = Math.max(0, Math.min(AHEAD_ROWS, Math.floor((fits - 1) / 2)));
  const above = now.first - (row - ahead);
  const below = row + ahead + 1 - (now.first + fits);
  if (above <= 0 && below <= 0) return now;
  if (Math.max(above, below) > ahead + 1) return centring(size, row);
  return placeAt(size, above > 0 ? row - ahead : row + ahead + 1 - fits);
}

/** The place with `row` in the middle. */
export function centring(size: ListSize, row: number): Place {
  return placeAt(size, row - (size.viewPx / size.rowPx - 1) / 2);
}

/** The place after all rows moved by so many. */
export function shifted(size: ListSize, now: Place, by: number): Place {
  return placeAt(size, now.first + by);
}

function placeAt(size: ListSize, wanted: number): Place {
  const { count, rowPx, viewPx } = size;
  const lastFirst = Math.max(0, count - viewPx / rowPx);
  const first = Math.min(lastFirst, Math.max(0, wanted));
  if (count * rowPx <= MAX_HEIGHT_PX) return { first, scrollPx: first * rowPx };
  const lastPx = Math.max(1, heightPx(size) - viewPx);
  return { first, scrollPx: (first / Math.max(1, lastFirst)) * lastPx };
}

/** Rows to draw, and how far below the upper edge of the scrolled area the first of them lies. */
export function inSight(size: ListSize, place: Place): { from: number; to: number; topPx: number } {
  const from = Math.max(0, Math.floor(place.first));
  const to = Math.min(size.count, Math.ceil(place.first + size.viewPx / size.rowPx) + 1);
  return { from, to, topPx: place.scrollPx - (place.first - from) * size.rowPx };
}
