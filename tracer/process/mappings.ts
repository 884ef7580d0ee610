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

function linesOf(pid: number, file: 'maps' | 'smaps'): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1').split('\n');
  } catch {
    return [];
  }
}

function mappingOf(line: string): Mapping | undefined {
  const match = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ (\d+) *(.*)$/.exec(line);
  if (match === null) return undefined;
  const [, from = '', to = '', permissions = '', offset = '', inode, path = ''] = match;
  return {
    start: Number.parseInt(from, 16),
    end: Number.parseInt(to, 16),
    shared: permissions[3] === 's',
    writable: permissions[1] === 'w',
    offset: Number.parseInt(offset, 16),
    inode: Number(inode),
    path,
  };
}

/** The mappings of a process that have a part in a range, in order; one that has ended has none. */
export function mappingsWithin(pid: number, start: number, length: number): Mapping[] {
  const found: Mapping[] = [];
  for (const line of linesOf(pid, 'maps')) {
    const mapping = mappingOf(line);
    if (mapping === undefined || mapping.end <= start) continue;
    if (mapping.start >= start + length) break;
    found.push(mapping);
  }
  return found;
}

/** A mapping with the flags that the kernel has for it, in two letters each (Linux Documentation/filesystems/proc.rst, VmFlags). */
export interface FlaggedMapping extends Mapping {
  readonly flags: ReadonlySet<string>;
}

/** As {@link mappingsWithin}, with flags; it takes longer, as the kernel counts all pages for it. */
export function flaggedMappingsWithin(pid: number, start: number, length: number): FlaggedMapping[] {
  const found: FlaggedMapping[] = [];
  let mapping: Mapping | undefined;
  for (const line of linesOf(pid, 'smaps')) {
    const flags = /^VmFlags: (.*)$/.exec(line)?.[1];
    if (flags === undefined) mapping = mappingOf(line) ?? mapping;
    else if (mapping !== undefined && mapping.end > start && mapping.start < start + length)
      found.push({ ...mapping, flags: new Set(flags.trim().split(' ')) });
  }
  return found;
}
