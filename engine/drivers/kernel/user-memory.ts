/**
 * End of what a process can have (Linux arch/x86: TASK_SIZE_MAX with tables of five levels; with four it is lower, and what lies
 * between the two is not there either, but that shows later).
 */
const END = (1n << 56n) - 4096n;

/** The range may be a process's (access_ok). */
export function isUserRange(address: bigint, size: bigint): boolean {
  return address + size <= END;
}
