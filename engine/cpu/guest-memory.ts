/** What the processor asks of the guest's physical memory. */

export const READ = 1;
export const WRITE = 2;
export const EXECUTE = 4;

export const PAGE_BYTES = 4096;

/** One page of guest physical memory. */
export interface GuestPage {
  /** PAGE_BYTES bytes, shared with whoever else sees the page. */
  readonly bytes: Uint8Array;
  /** READ, WRITE and EXECUTE. */
  readonly permissions: number;
}

/**
 * Guest physical memory by page number (GPA / PAGE_BYTES). The processor keeps what it was told until
 * `GuestCpu.memoryChanged` says that pages were mapped, unmapped or changed their permissions.
 */
export interface GuestMemory {
  page(gpaPage: number): GuestPage | undefined;
}
