import { readFileSync } from 'node:fs';

/** One line of /proc/PID/maps. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly shared: boolean;
  readonly writable: boolean;
  /** Offset in the file of `start`. */
  readonly offset: number;
  /** Of the file; 0 for memory without one. */
  readonly inode: number;
  /** What is mapped there; empty for memory without a name. */
  readonly path: string;
}

/** The mappings of a process that cover a range without a hole, in order; undefined where there is a hole. */
export function mappingsOf(pid: number, start: number, length: number): Mapping[] | undefined {
  const found = mappingsWithin(pid, start, length);
  let next = start;
  for (const mapping of found) {
    if (mapping.start > next) return undefined;
    next = mapping.end;
  }
  return next >= start + length ? found : undefined;
}

function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1');
  } catch {
    return '';
  }
}

/** The mappings of a process that have a part in a range, in order; one that has ended has none. */
export function mappingsWithin(pid: number, start: number, length: number): Mapping[] {
  const found: Mapping[] = [];
  for (const line of mapsOf(pid).split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ (\d+) *(.*)$/.exec(line);
    if (match === null) continue;
    const [from, to, permissions = '', offset] = [
      Number.parseInt(match[1] ?? '', 16),
      Number.parseInt(match[2] ?? '', 16),
      match[3],
      Number.parseInt(match[4] ?? '', 16),
    ];
    if (to <= start) continue;
    if (from >= start + length) break;
    found.push({
      start: from,
      end: to,
      shared: permissions[3] === 's',
      writable: permissions[1] === 'w',
      offset,
      inode: Number(match[5]),
      path: match[6] ?? '',
    });
  }
  return found;
}
