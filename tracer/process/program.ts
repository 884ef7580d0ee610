import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Arena } from '../native/arena.ts';
import { addressOf, syscall } from '../native/libc.ts';
import { NR } from '../native/numbers.ts';

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

const RLIMIT_NOFILE = 7;

/** Lets this process have as many descriptors as it may (the hard limit). */
export function raiseDescriptorLimit(): void {
  const limits = new Arena(16);
  if (syscall(NR.prlimit64, 0, RLIMIT_NOFILE, 0, limits.address) < 0) return;
  limits.bytes.copyWithin(0, 8);
  syscall(NR.prlimit64, 0, RLIMIT_NOFILE, addressOf(limits.bytes), 0);
}

/** How many descriptors a process may have (RLIMIT_NOFILE, the soft limit, which children inherit). */
export function descriptorLimit(pid: number | 'self' = 'self'): number {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'));
  const limit = match?.[1];
  return limit === undefined || limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit);
}
