import { UNMODELLED } from '../../../hypervisor/index.ts';
import type { Outcome } from '../../../machine/child.ts';
import type { IoctlEvent } from '../../../trace/event.ts';
import { failure } from '../../kernel/errno.ts';

const REFUSALS: ReadonlySet<number> = new Set([failure('EBADF'), failure('EINVAL')]);

/** What files a process has is not in the trace: that its descriptor is none, or no eventfd, stands as recorded. */
export function notAnEventfd({ ret }: IoctlEvent): Outcome | undefined {
  return typeof ret === 'number' && REFUSALS.has(ret) ? { ret, rule: UNMODELLED } : undefined;
}
