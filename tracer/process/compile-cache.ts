import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/**
 * The folder of the compile cache of this thread, for threads that it starts: they have none of their own. Undefined where there
 * is none.
 */
export function compileCacheFolder(): string | undefined {
  const folder = getCompileCacheDir();
  // Node makes a folder of its version below the one that it is given.
  return folder === undefined ? undefined : dirname(folder);
}
