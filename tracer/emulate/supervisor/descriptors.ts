import { ERRNO, NR } from '../../native/numbers.ts';
import { linkOf } from '../../process/proc.ts';
import { descriptorLimit } from '../../process/program.ts';
import { inWindow } from '../filter/window.ts';
import type { DeviceFile } from './device-file.ts';
import { type Call, type Host, stamp } from './host.ts';
import type { ClientProcess } from './process.ts';

const F_DUPFD = 0;
const F_DUPFD_CLOEXEC = 1030;
const O_CLOEXEC = 0o2000000;
const CLOSE_RANGE_CLOEXEC = 4;

/** The process has a descriptor for a file. */
export function install(host: Host, process: ClientProcess, fd: number, file: DeviceFile): void {
  process.files.set(fd, file);
  if (!inWindow(host.window, fd)) process.outside++;
  file.descriptors++;
}

/** A descriptor is gone; with the last one so is the file. The engine has been told. */
function uninstall(host: Host, process: ClientProcess, fd: number): void {
  const file = process.files.get(fd);
  if (file === undefined) return;
  process.files.delete(fd);
  if (!inWindow(host.window, fd)) process.outside--;
  file.descriptors--;
  if (file.descriptors > 0) return;
  host.files.release(file);
  const { handle } = file;
  if (handle.kind === 'partition' && handle.partition !== undefined) host.eventfds.release(handle.partition);
}

/** Tells the engine that a descriptor closes. */
export function closeDescriptor(host: Host, process: ClientProcess, fd: number, tid = process.pid): void {
  const file = process.files.get(fd);
  if (file === undefined) return;
  const event = { ...stamp(host, process, tid), kind: 'fd', what: 'close', fd, handle: file.handle } as const;
  const returned = file.handle.kind === 'foreign' ? [] : host.live.feed(event).returned;
  uninstall(host, process, fd);
  host.returned(returned);
}

/** Tells the engine that a descriptor has come to stand for a file; `from` is the one it was made from. */
export function shareDescriptor(
  host: Host,
  process: ClientProcess,
  file: DeviceFile,
  from: number,
  fd: number,
  who: { readonly tid?: number; readonly note?: string } = {},
): void {
  install(host, process, fd, file);
  if (file.handle.kind === 'foreign') return;
  const result = host.live.feed({
    ...stamp(host, process, who.tid),
    kind: 'fd',
    what: 'dup',
    from,
    fd,
    handle: file.handle,
    ...(who.note === undefined ? {} : { note: who.note }),
  });
  host.returned(result.returned);
}

/** The number of a file that a process is to open; undefined (EMFILE) when it has none free, or the emulating process has none. */
export function newNumber(host: Host, process: ClientProcess): number | undefined {
  return host.files.mayOpen ? freeNumber(host, process) : undefined;
}

/** The lowest number in the window, not below `least`, that the process has free and may have; undefined when there is none. */
function freeNumber(host: Host, process: ClientProcess, least = 0): number | undefined {
  const to = Math.min(host.window.to, limitOf(process.pid));
  for (let fd = Math.max(host.window.from, least); fd < to; fd++) {
    if (!process.files.has(fd) && linkOf(process.pid, fd) === undefined) return fd;
  }
  return undefined;
}

function limitOf(pid: number): number {
  try {
    return descriptorLimit(pid);
  } catch {
    // The process is gone: nobody hears the answer.
    return 0;
  }
}

/** close(): the descriptor is free whatever the driver says. */
export function close(host: Host, call: Call): void {
  closeDescriptor(host, call.process, call.args[0], call.tid);
  host.listener.proceed(call.id);
}

/** close_range(): those in the range close, lowest first, unless they are only to be closed on exec. */
export function closeRange(host: Host, call: Call): void {
  const [first, last, flags] = call.args;
  if ((flags & CLOSE_RANGE_CLOEXEC) === 0 && first <= last) {
    const fds = [...call.process.files.keys()].filter((fd) => fd >= first && fd <= last);
    for (const fd of fds.sort((a, b) => a - b)) closeDescriptor(host, call.process, fd, call.tid);
  }
  host.listener.proceed(call.id);
}

/** dup(), dup2(), dup3(), fcntl(F_DUPFD): what is made from a file of the device stays in the window. */
export function duplicate(host: Host, call: Call): void {
  const { process, nr, args } = call;
  const from = args[0];
  const file = process.files.get(from);
  if (nr === NR.fcntl && args[1] !== F_DUPFD && args[1] !== F_DUPFD_CLOEXEC) {
    host.listener.proceed(call.id);
  } else if (nr === NR.dup2 || nr === NR.dup3) {
    duplicateTo(host, call, file, args[1], nr === NR.dup3 && (args[2] & O_CLOEXEC) !== 0);
  } else if (file === undefined) {
    host.listener.proceed(call.id);
  } else {
    const least = nr === NR.fcntl ? args[2] : 0;
    const fd = freeNumber(host, process, least);
    const closeOnExec = nr === NR.fcntl && args[1] === F_DUPFD_CLOEXEC;
    if (fd === undefined) host.listener.answer(call.id, -ERRNO.EMFILE);
    else give(host, call, file, from, fd, closeOnExec);
  }
}

function duplicateTo(
  host: Host,
  call: Call,
  file: DeviceFile | undefined,
  fd: number,
  closeOnExec: boolean,
): void {
  const [from, , flags] = call.args;
  const invalid = call.nr === NR.dup3 && (from === fd || (flags & ~O_CLOEXEC) !== 0);
  // A descriptor onto itself, and what the kernel refuses, change nothing.
  if (invalid || from === fd || (file === undefined && linkOf(call.process.pid, from) === undefined)) {
    host.listener.proceed(call.id);
    return;
  }
  closeDescriptor(host, call.process, fd, call.tid);
  if (file === undefined) host.listener.proceed(call.id);
  else give(host, call, file, from, fd, closeOnExec);
}

function give(
  host: Host,
  call: Call,
  file: DeviceFile,
  from: number,
  fd: number,
  closeOnExec: boolean,
): void {
  const added = host.listener.addFd(call.id, file.memfd, fd, { closeOnExec, answers: true });
  if (added < 0) host.listener.answer(call.id, added);
  else shareDescriptor(host, call.process, file, from, fd, { tid: call.tid });
}

/** Descriptors that closed without a call that is handed over: on exec, or those put outside the window. */
export function settleDescriptors(host: Host, process: ClientProcess): void {
  const every = process.replaced;
  process.replaced = false;
  if (!every && process.outside === 0) return;
  for (const [fd, file] of [...process.files]) {
    if (!every && inWindow(host.window, fd)) continue;
    if (host.files.behind(process.pid, fd) !== file) closeDescriptor(host, process, fd);
  }
}
