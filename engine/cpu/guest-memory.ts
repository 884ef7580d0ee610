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
 * A page of registers: what is read or written there is asked for and told access by access, and the instruction goes on.
 * A value that is read is signed for 4 bytes, else unsigned; one that is written is as the instruction has it.
 */
export interface DevicePage {
  /** Its page number; -1 while there is none. */
  readonly page: number;
  load(offset: number, size: number): number;
  store(offset: number, size: number, value: number): void;
}

/**
 * Guest physical memory by page number (GPA / PAGE_BYTES). The processor keeps what it was told until
 * `GuestCpu.memoryChanged` says that pages were mapped, unmapped or changed their permissions.
 */
export interface GuestMemory {
  /** A word, at first 0, that all processors of this memory have in common which run at the same time: see locked.ts. */
  readonly pairs?: Int32Array<SharedArrayBuffer>;
  page(gpaPage: number): GuestPage | undefined;
  /** Hears of a page before it is written; of the same page again after `GuestCpu.forgetWrites` and at its discretion. */
  written?(gpaPage: number): void;
}
