import type { Dialect } from './event.ts';
import type { Profile } from './profile.ts';

/**
 * The ioctl numbers that a kernel speaks. Where the kernel is not known they are taken for upstream's: an
 * importer that knows better puts the dialect on the event.
 */
export function dialectOf(kernel: Profile['kernel']): Dialect {
  if (kernel === 'rfc2020' || kernel === 'vtl') return kernel;
  return 'upstream';
}
