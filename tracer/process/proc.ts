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

/** The process that a thread belongs to; undefined when it is gone. */
export function threadGroup(tid: number): number | undefined {
  try {
    const match = /^Tgid:\s*(\d+)/m.exec(readFileSync(`/proc/${tid}/status`, 'latin1'));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}
