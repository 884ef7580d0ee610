import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';

export const DEVICE = '/dev/mshv';
const NAME = posix.basename(DEVICE);
export const AT_FDCWD = -100;

/** Whether a path of a thread leads to the device; `folder`: the descriptor that a relative path starts from. */
export function isDevice(tid: number, path: string, folder: number): boolean {
  // Nearly every path ends here: its last part decides without a look at folders.
  if (!path.endsWith(NAME)) return false;
  if (posix.isAbsolute(path)) return posix.normalize(path) === DEVICE;
  try {
    const start = readlinkSync(`/proc/${tid}/${folder === AT_FDCWD ? 'cwd' : `fd/${folder}`}`);
    return posix.resolve(start, path) === DEVICE;
  } catch {
    return false;
  }
}
