import type { PageBytes } from '../../../engine/trace/event.ts';

/** A part costs eight bytes beside its own (docs/format.md): what lies closer together is one. */
const JOINED_BYTES = 8;

/** What of a page is otherwise than before: parts in order, none of which is empty; nothing where all is the same. */
export function changedParts(before: Uint8Array, after: Uint8Array): PageBytes[] {
  const parts: PageBytes[] = [];
  let start = -1;
  let end = 0;
  for (let at = 0; at < after.length; at++) {
    if (before[at] === after[at]) continue;
    if (start >= 0 && at - end > JOINED_BYTES) {
      parts.push({ offset: start, bytes: after.slice(start, end) });
      start = at;
    } else if (start < 0) start = at;
    end = at + 1;
  }
  if (start >= 0) parts.push({ offset: start, bytes: after.slice(start, end) });
  return parts;
}

/** Puts parts into a page; what lies beyond its end is left out. */
export function putParts(page: Uint8Array, parts: readonly PageBytes[]): void {
  for (const { offset, bytes } of parts)
    if (offset < page.length) page.set(bytes.subarray(0, page.length - offset), offset);
}

/** Where two pages first differ; undefined where they do not. */
export function firstDifference(one: Uint8Array, other: Uint8Array): number | undefined {
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return at;
  return undefined;
}
