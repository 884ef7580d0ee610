import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a shell would find a program; undefined where it would not. */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  return path
    .split(delimiter)
    .map((folder) => join(folder === '' ? '.' : folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** How many descriptors a process may have (RLIMIT_NOFILE, the soft limit, which children inherit). */
export function descriptorLimit(pid: number | 'self' = 'self'): number {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'));
  const limit = match?.[1];
  return limit === undefined || limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit);
}
