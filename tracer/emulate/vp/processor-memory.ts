import { EXECUTE, type GuestMemory, PAGE_BYTES, READ, WRITE } from '../../../engine/cpu/index.ts';

export { EXECUTE, PAGE_BYTES, READ, WRITE };
/** Beside the permissions: a page of the hypervisor, which the guest cannot write (#GP). */
export const OVERLAY = 8;

/** Guest memory that changes between two runs of a processor. */
export interface ProcessorMemory extends GuestMemory {
  /** Changes with what {@link refresh} takes over. */
  readonly version: number;
  /** Takes over what was changed; true if something was. */
  refresh(): boolean;
}
