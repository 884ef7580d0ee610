import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a descriptor of a process leads to; undefined where it is not open. */
export function linkOf(pid: number, fd: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return undefined;
  }
}

/** Numbers of the descriptors that a process has open, lowest first. */
export function descriptorsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** Of what the kernel tells of a thread or process (Linux Documentation/filesystems/proc.rst, status); undefined when it is gone. */
function statusOf(id: number, name: string): number | undefined {
  try {
    const match = new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/${id}/status`, 'latin1'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}

/** The process that a thread belongs to; undefined when it is gone. */
export function threadGroup(tid: number): number | undefined {
  return statusOf(tid, 'Tgid');
}

/** Resident memory of a process, now and at most, in KiB; undefined when it is gone. */
export function residentKib(pid: number, which: 'now' | 'most'): number | undefined {
  return statusOf(pid, which === 'now' ? 'VmRSS' : 'VmHWM');
}
