import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';

/** Why the kernel's trace buffers cannot be used; `remedy`: what to do. */
export interface TracefsProblem {
  readonly text: string;
  readonly remedy: string;
}

/** A mounted tracefs. */
export interface Tracefs {
  readonly path: string;
  /** Undoes a mount of our own; nothing where it was mounted before. */
  release(): void;
}

const STANDARD = '/sys/kernel/tracing';

/** Where tracefs is mounted (proc(5), /proc/self/mounts); undefined where it is not. */
function mountedAt(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const found = mounts.map((line) => line.split(' ')).find((words) => words[2] === 'tracefs');
  return found?.[1]?.replaceAll('\\040', ' ');
}

/**
 * Finds tracefs, or mounts it at its usual place until {@link Tracefs.release}. Only root may: instances and probes belong to it
 * (Linux Documentation/trace/ftrace.rst).
 */
export function openTracefs(): Tracefs | TracefsProblem {
  const path = mountedAt();
  if (path !== undefined) return usable(path) ?? { path, release: () => undefined };
  const remedy = `mount it: mount -t tracefs nodev ${STANDARD}`;
  if (!/\ttracefs$/m.test(readFileSync('/proc/filesystems', 'utf8'))) {
    return { text: 'this kernel has no tracefs', remedy: 'a kernel with CONFIG_TRACING is needed' };
  }
  if (process.getuid?.() !== 0) return { text: 'tracefs is not mounted', remedy };
  try {
    execFileSync('mount', ['-t', 'tracefs', 'nodev', STANDARD], { stdio: 'pipe' });
  } catch {
    return { text: 'tracefs cannot be mounted here', remedy: `${remedy}; a container may forbid it` };
  }
  const release = (): void => {
    try {
      execFileSync('umount', [STANDARD], { stdio: 'pipe' });
    } catch {
      // Somebody else uses it by now: then it stays, as on most machines.
    }
  };
  return usable(STANDARD) ?? { path: STANDARD, release };
}

function usable(path: string): TracefsProblem | undefined {
  try {
    accessSync(`${path}/instances`, constants.W_OK);
    return undefined;
  } catch {
    return {
      text: `${path} may not be written`,
      remedy: 'run as root (sudo), or give a group the folder: docs/record-kernel.md',
    };
  }
}
