import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { descriptorLimit } from '../process/program.ts';
import { windowUnder } from './filter/window.ts';

/** Whether programs can be emulated here, and what differs for this user. */
export interface Able {
  readonly ok: boolean;
  readonly found: string;
  readonly remedy?: string;
}

/** WAIT_KILLABLE_RECV of seccomp: notify/install.ts. */
const NEEDED = [5, 19] as const;
/** Yama: from here on not even one's own children may be traced. */
const NO_CHILDREN = 2;

/** Looks at what emulation needs, without trying it. */
export function emulationHere(): Able {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return { ok: false, found: `${process.platform} on ${process.arch}`, remedy: 'it needs Linux on x86-64' };
  if (!isRecent(release()))
    return { ok: false, found: `Linux ${release()}`, remedy: `it needs ${NEEDED.join('.')} or newer` };
  if (!read('/proc/sys/kernel/seccomp/actions_avail').includes('user_notif'))
    return {
      ok: false,
      found: 'no seccomp user notification',
      remedy: 'the kernel, or a container, lacks it',
    };
  if (windowUnder(descriptorLimit()) === undefined)
    return { ok: false, found: 'too few files may be open', remedy: 'ulimit -n 1024' };
  if (process.getuid?.() === 0) return { ok: true, found: 'as root: shared guest memory is mapped in place' };
  if (Number(read('/proc/sys/kernel/yama/ptrace_scope') || 0) >= NO_CHILDREN)
    return {
      ok: false,
      found: 'guest memory cannot be shared: ptrace is forbidden (Yama)',
      remedy: 'run it as root, or set kernel.yama.ptrace_scope to 1',
    };
  return { ok: true, found: 'as an ordinary user: guest memory is moved when it is given to a guest' };
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number.parseFloat);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
