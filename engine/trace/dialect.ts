import { findIoctl, type IoctlRow } from '../abi/index.ts';
import type { Dialect, IoctlEvent } from './event.ts';
import type { Profile } from './profile.ts';

/**
 * The ioctl numbers that a kernel speaks. Where the kernel is not known they are taken for upstream's: an
 * importer that knows better puts the dialect on the event.
 */
export function dialectOf(kernel: Profile['kernel']): Dialect {
  if (kernel === 'rfc2020' || kernel === 'vtl') return kernel;
  return 'upstream';
}

/** What the tables say of an ioctl; undefined where its number is unknown on such a file. */
export function ioctlRowOf(event: IoctlEvent, profile: Profile): IoctlRow | undefined {
  const { kind } = event.handle;
  if (kind === 'eventfd' || kind === 'foreign') return undefined;
  return findIoctl(event.dialect ?? dialectOf(profile.kernel), kind, event.op);
}
