import { constantNumber } from '../../../engine/abi/index.ts';
import { EXECUTE, type GuestMemory, PAGE_BYTES, READ, WRITE } from '../../../engine/cpu/index.ts';

export { EXECUTE, PAGE_BYTES, READ, WRITE };
/** Beside the permissions: a page of the hypervisor, which the guest cannot write (#GP). */
export const OVERLAY = 8;

const FLAGS: readonly (readonly [flag: number, permission: number])[] = [
  [constantNumber('HV_MAP_GPA_READABLE'), READ],
  [constantNumber('HV_MAP_GPA_WRITABLE'), WRITE],
  [constantNumber('HV_MAP_GPA_EXECUTABLE'), EXECUTE],
];

/** What a guest may do with pages that are mapped with these flags (HV_MAP_GPA_*). */
export function permissionsOf(flags: number): number {
  return FLAGS.reduce((all, [flag, permission]) => ((flags & flag) === 0 ? all : all | permission), 0);
}

/** The number of the page that an address of the guest is in. */
export function pageOf(gpa: bigint): number {
  return Number(gpa / BigInt(PAGE_BYTES));
}

/** Guest memory that changes between two runs of a processor. */
export interface ProcessorMemory extends GuestMemory {
  /** Changes with what {@link refresh} takes over. */
  readonly version: number;
  /** Takes over what was changed; true if something was. */
  refresh(): boolean;
}
