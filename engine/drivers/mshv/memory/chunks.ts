/** Pages of 4 KiB in one of 2 MiB. */
export const LARGE_PAGES = 512;
const LARGE = BigInt(LARGE_PAGES);
const PAGE_BYTES = 4096n;

/** Guest frames whose pages are of one size, and go into one batch of calls after another. */
export interface Chunk {
  readonly start: bigint;
  readonly pages: bigint;
  /** Pages of 2 MiB. */
  readonly large: boolean;
}

/** Frames whose pages are there, by the size that these have. */
export type Backed = Chunk;

/** Whether pages of 2 MiB can lie where both the process and the guest have them at a multiple of their size. */
export function agrees(address: bigint, start: bigint): boolean {
  return (address / PAGE_BYTES - start) % LARGE === 0n;
}

/**
 * Frames that are there as the driver goes through them up to `end`, where the range ends that it was asked for: it takes pages of
 * 2 MiB as such from a frame on that is a multiple of 512, and only where the rest of the range is one too (Linux 7.2
 * drivers/hv/mshv_regions.c, mshv_chunk_stride and mshv_region_process_range).
 */
export function chunksOf(present: readonly Backed[], end: bigint): Chunk[] {
  const chunks: Chunk[] = [];
  const add = (start: bigint, to: bigint, large: boolean) => {
    if (to <= start) return;
    const last = chunks.at(-1);
    if (last !== undefined && last.large === large && last.start + last.pages === start) {
      chunks[chunks.length - 1] = { ...last, pages: last.pages + to - start };
    } else chunks.push({ start, pages: to - start, large });
  };
  for (const { start, pages, large } of present) {
    const to = start + pages;
    const aligned = large && end % LARGE === 0n ? ((start + LARGE - 1n) / LARGE) * LARGE : to;
    const first = aligned < to ? aligned : to;
    add(start, first, false);
    add(first, to, true);
  }
  return chunks;
}
