import { UNMODELLED } from '../../hypervisor/index.ts';
import type { Outcome } from '../../machine/child.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { failure } from './errno.ts';

/**
 * End of what a process can have (Linux arch/x86: TASK_SIZE_MAX with tables of five levels; with four it is lower, and what lies
 * between the two is not there either, but that shows later).
 */
const END = (1n << 56n) - 4096n;

/** The range may be a process's (access_ok). */
export function isUserRange(address: bigint, size: bigint): boolean {
  return address + size <= END;
}

/** What a call read of its program's memory is not in the trace: the driver could not read it, or only the recorder. */
export function unread({ ret }: IoctlEvent, rule: string): Outcome {
  if (ret === undefined || ret === failure('EFAULT')) return { ret: failure('EFAULT'), rule };
  return ret === null ? { rule: UNMODELLED } : { ret, rule: UNMODELLED };
}
