import { descriptorsOf } from '../../process/proc.ts';
import { closeDescriptor, shareDescriptor } from './descriptors.ts';
import { type Host, stamp } from './host.ts';
import {
  type ClientProcess,
  type ClientProcesses,
  childrenOf,
  filteredProcesses,
  hasEnded,
} from './process.ts';

/** What a new process has open already: it was made by one that had it open. */
export function adopt(host: Host, process: ClientProcess): void {
  for (const fd of descriptorsOf(process.pid)) {
    const file = host.files.behind(process.pid, fd);
    if (file !== undefined && !process.files.has(fd))
      shareDescriptor(host, process, file, fd, fd, { note: 'inherited' });
  }
}

/**
 * Looks for processes that a process made and that have made no call yet: as long as one of them has a file open, the
 * file is not released.
 */
export function adoptChildren(
  host: Host,
  processes: ClientProcesses,
  parent: ClientProcess,
  added: (child: ClientProcess) => void,
): void {
  // Those of a process that has ended are no longer its children: whoever has a file open is one of them.
  const candidates = hasEnded(parent.pid)
    ? filteredProcesses().filter((pid) => pid !== process.pid && hasFile(host, pid))
    : childrenOf(parent.pid);
  for (const pid of candidates) {
    const { process: child, isNew } = processes.ofPid(pid);
    if (!isNew) continue;
    added(child);
    adopt(host, child);
  }
}

function hasFile(host: Host, pid: number): boolean {
  return descriptorsOf(pid).some((fd) => host.files.behind(pid, fd) !== undefined);
}

/** A process has ended: what it had open closes, lowest first (Linux fs/file.c, close_files). */
export function endProcess(host: Host, process: ClientProcess): void {
  const had = process.files.size > 0;
  for (const fd of [...process.files.keys()].sort((a, b) => a - b)) closeDescriptor(host, process, fd);
  if (!had) return;
  const result = host.live.feed({ ...stamp(host, process), kind: 'lifecycle', what: 'process-exit' });
  host.returned(result.returned);
}
