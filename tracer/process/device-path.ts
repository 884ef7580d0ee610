import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';

export const DEVICE = '/dev/mshv';
const NAME = posix.basename(DEVICE);
export const AT_FDCWD = -100;

/** Whether a path of a thread leads to the device; `folder`: the descriptor that a relative path starts from. */
export function isDevice(tid: number, path: string, folder: number): boolean {
  return resolvedPath(tid, path, folder) === DEVICE;
}

/**
 * Where a path of a thread leads when it could be a device of the drivers, without following links; undefined for
 * others. Nearly every path ends at the first test: its last part decides without a look at folders.
 */
export function resolvedPath(tid: number, path: string, folder: number): string | undefined {
  if (!posix.basename(path).startsWith(NAME)) return undefined;
  if (posix.isAbsolute(path)) return posix.normalize(path);
  try {
    const start = readlinkSync(`/proc/${tid}/${folder === AT_FDCWD ? 'cwd' : `fd/${folder}`}`);
    return posix.resolve(start, path);
  } catch {
    return undefined;
  }
}
