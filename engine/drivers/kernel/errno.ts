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
  'EMFILE',
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

/** Status, elements and reserved bits of a result that is all ones. */
const ALL_ONES = { status: 0xffff, reps: 0xfff } as const;

/**
 * What a hypercall's answer becomes (Linux 7.2 drivers/hv/hv_common.c, hv_result_to_errno). A call that faults
 * has left all ones in its result: there is no hypercall page. The RFC of 2020 takes that for a status like any other.
 */
export function errnoOf({ fault, result }: HypercallAnswer, profile: Profile): number {
  const isNone = fault === true || (result.status === ALL_ONES.status && result.reps === ALL_ONES.reps);
  const isOld = profile.kernel === 'rfc2020';
  if (isNone && !isOld) return failure('EOPNOTSUPP');
  const errno = errnoOfStatus(isNone ? ALL_ONES.status : result.status, isOld ? 'rfc2020' : 'linux');
  return errno === 0 ? 0 : -errno;
}
