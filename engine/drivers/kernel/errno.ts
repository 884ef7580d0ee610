import { errnoNumber, errnoOfStatus } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { Profile } from '../../trace/profile.ts';

/** Errnos that the drivers choose themselves. */
const NAMES = [
  'E2BIG',
  'EAGAIN',
  'EBADF',
  'EBADFD',
  'EBUSY',
  'EDOM',
  'EEXIST',
  'EFAULT',
  'EINTR',
  'EINVAL',
  'EIO',
  'ENODEV',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'ENOMSG',
  'ENOTSUPP',
  'ENOTTY',
  'EOPNOTSUPP',
  'EOVERFLOW',
  'EPERM',
] as const;
export type DriverErrno = (typeof NAMES)[number];

const RESULTS: ReadonlyMap<DriverErrno, number> = new Map(NAMES.map((name) => [name, -errnoNumber(name)]));

/** The result of a call that fails: the negative errno. */
export function failure(name: DriverErrno): number {
  return RESULTS.get(name) as number;
}

/**
 * What a hypercall's answer becomes (Linux 7.2 drivers/hv/hv_common.c, hv_result_to_errno). A call that faults
 * has left all ones in its result: there is no hypercall page.
 */
export function errnoOf(answer: HypercallAnswer, profile: Profile): number {
  if (answer.fault === true) return failure('EOPNOTSUPP');
  const mapping = profile.kernel === 'rfc2020' ? 'rfc2020' : 'linux';
  const errno = errnoOfStatus(answer.result.status, mapping);
  return errno === 0 ? 0 : -errno;
}
