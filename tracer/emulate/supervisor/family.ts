import { closeDescriptor, shareDescriptor } from './descriptors.ts';
import { type Host, stamp } from './host.ts';
import { type ClientProcess, type ClientProcesses, childrenOf, descriptorsOf } from './process.ts';

/** What a new process has open already: it was made by one that had it open. */
export function adopt(host: Host, process: ClientProcess): void {
  for (const fd of descriptorsOf(process.pid)) {
    const file = host.files.behind(process.pid, fd);
    if (file !== undefined && !process.files.has(fd))
      shareDescriptor(host, process, file, fd, fd, { note: 'inherited' });
  }
}

/**
 * Looks for processes that were made and have made no call yet: as long as one of them has a file open, the file is
 * not released.
 */
export function adoptChildren(
  host: Host,
  processes: ClientProcesses,
  parent: ClientProcess,
  added: (child: ClientProcess) => void,
): void {
  for (const pid of childrenOf(parent.pid)) {
    const { process, isNew } = processes.ofPid(pid);
    if (!isNew) continue;
    added(process);
    adopt(host, process);
  }
}

/** A process has ended: what it had open closes, lowest first (Linux fs/file.c, close_files). */
export function endProcess(host: Host, process: ClientProcess): void {
  const had = process.files.size > 0;
  for (const fd of [...process.files.keys()].sort((a, b) => a - b)) closeDescriptor(host, process, fd);
  if (!had) return;
  const result = host.live.feed({ ...stamp(host, process), kind: 'lifecycle', what: 'process-exit' });
  host.returned(result.returned);
}
