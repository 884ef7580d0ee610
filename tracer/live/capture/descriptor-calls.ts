import { NR } from '../../native/numbers.ts';
import { AT_FDCWD, resolvedPath } from '../../process/device-path.ts';
import { type Call, type Finish, type Host, plain, stamp } from './host.ts';
import { DEVICE_KINDS, type OpenFile, type TracedProcess } from './open-files.ts';

export const F_DUPFD = 0;
export const F_DUPFD_CLOEXEC = 1030;
const PAGE_BYTES = 4096;
/** Register page, intercept message page, GHCB page: more of a VP is not to be mapped. */
export const MOST_MAPPED = 3 * PAGE_BYTES;
const O_PATH = 0o10000000;
const CLOSE_RANGE_CLOEXEC = 4;

/** The path, the folder it starts from and the flags of an open. */
function opened(
  { memory }: Host,
  { tid, nr, args }: Call,
): readonly [path: number, folder: number, flags: number] {
  const [a, b, c] = args;
  if (nr === NR.open) return [a, AT_FDCWD, b];
  if (nr === NR.creat) return [a, AT_FDCWD, 0];
  if (nr === NR.openat) return [b, a | 0, c];
  const how = memory.read(tid, c, 8);
  return [b, a | 0, how === undefined ? 0 : new DataView(how.buffer).getUint32(0, true)];
}

/** open() and its kin. A name without its file (O_PATH) is none of the driver's. */
function open(host: Host, call: Call): Finish | undefined {
  const { process, tid } = call;
  const [pointer, folder, flags] = opened(host, call);
  const text = host.memory.readPath(tid, pointer);
  const path = text === undefined ? undefined : resolvedPath(tid, text, folder);
  const kind = path === undefined ? undefined : DEVICE_KINDS.get(path);
  if (path === undefined || kind === undefined || (flags & O_PATH) !== 0) return undefined;
  return (ret) => {
    const event = { kind: 'fd', what: 'open', ...stamp(host, process, tid), path, ret };
    if (ret < 0) {
      host.event(event);
      return;
    }
    const file = host.numbers.next(kind);
    process.files.set(ret, file);
    host.event({ ...event, fd: ret, handle: plain(file.handle) });
  };
}

/** A descriptor of a process is gone. */
export function closed(host: Host, process: TracedProcess, fd: number, tid: number): void {
  const file = process.files.get(fd);
  if (file === undefined) return;
  process.files.delete(fd);
  host.event({
    kind: 'fd',
    what: 'close',
    ...stamp(host, process, tid),
    fd,
    handle: plain(file.handle),
    ret: 0,
  });
}

/** A descriptor of a process stands for a file that another stands for as well. */
export function shared(
  host: Host,
  process: TracedProcess,
  file: OpenFile,
  [from, fd]: readonly [number, number],
  tid: number,
  note?: string,
): void {
  process.files.set(fd, file);
  const event = {
    kind: 'fd',
    what: 'dup',
    ...stamp(host, process, tid),
    from,
    fd,
    handle: plain(file.handle),
  };
  host.event({ ...event, ret: fd, note });
}

/** close(): what the driver does happens within, so the event stands at the entry. */
function close(host: Host, { process, tid, args }: Call): Finish | undefined {
  const fd = args[0] | 0;
  process.others.delete(fd);
  const file = process.files.get(fd);
  if (file === undefined) return undefined;
  process.files.delete(fd);
  const handle = plain(file.handle);
  const id = host.begin({ kind: 'fd', what: 'close', ...stamp(host, process, tid), fd, handle });
  return (ret) => host.end(id, { ret });
}

/** close_range(): those in the range, lowest first, unless they are only to be closed on exec. */
function closeRange(host: Host, { process, tid, args }: Call): Finish | undefined {
  const [first, last, flags] = args;
  for (const fd of process.others) if (fd >= first && fd <= last) process.others.delete(fd);
  const fds = [...process.files.keys()].filter((fd) => fd >= first && fd <= last).sort((a, b) => a - b);
  if (fds.length === 0 || (flags & CLOSE_RANGE_CLOEXEC) !== 0) return undefined;
  return (ret) => {
    if (ret >= 0) for (const fd of fds) closed(host, process, fd, tid);
  };
}

/** dup(), dup2(), dup3(), fcntl(F_DUPFD). */
function duplicate(host: Host, { process, tid, nr, args }: Call): Finish | undefined {
  if (nr === NR.fcntl && args[1] !== F_DUPFD && args[1] !== F_DUPFD_CLOEXEC) return undefined;
  const from = args[0] | 0;
  const file = process.files.get(from);
  const replaces = nr === NR.dup2 || nr === NR.dup3;
  if (replaces) process.others.delete(args[1] | 0);
  if (file === undefined && !(replaces && process.files.has(args[1] | 0))) return undefined;
  return (fd) => {
    if (fd < 0 || fd === from) return;
    closed(host, process, fd, tid);
    if (file !== undefined) shared(host, process, file, [from, fd], tid);
  };
}

function map(host: Host, { process, tid, args }: Call): Finish | undefined {
  const [, size, , , number, offset] = args;
  const fd = number | 0;
  const file = process.files.get(fd);
  if (file === undefined) return undefined;
  return (ret) => {
    const place = { fd, handle: plain(file.handle), offset: BigInt(offset), size: BigInt(size) };
    const event = { kind: 'fd', what: 'mmap', ...stamp(host, process, tid), ...place };
    if (ret < 0 && ret > -PAGE_BYTES) {
      host.event({ ...event, ret });
      return;
    }
    process.mapped.push({ file, addr: ret, size, offset });
    host.event({ ...event, addr: BigInt(ret), ret: 0 });
  };
}

/** munmap(): what it takes of mapped pages of the drivers. */
function unmap(host: Host, { process, tid, args }: Call): Finish | undefined {
  const [addr, bytes] = args;
  const end = addr + Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  const touched = process.mapped.filter((one) => one.addr < end && one.addr + one.size > addr);
  if (touched.length === 0) return undefined;
  return (ret) => {
    if (ret < 0) return;
    for (const one of touched) {
      const [from, to] = [Math.max(addr, one.addr), Math.min(end, one.addr + one.size)];
      const rest = [
        { ...one, size: from - one.addr },
        { ...one, addr: to, size: one.addr + one.size - to, offset: one.offset + to - one.addr },
      ];
      process.mapped = [
        ...process.mapped.filter((other) => other !== one),
        ...rest.filter(({ size }) => size > 0),
      ];
      host.event({
        ...{
          kind: 'fd',
          what: 'munmap',
          ...stamp(host, process, tid),
          handle: plain(one.file.handle),
          ret: 0,
        },
        ...{ addr: BigInt(from), size: BigInt(to - from), offset: BigInt(one.offset + from - one.addr) },
      });
    }
  };
}

/** Calls on descriptors and mappings, by number. Each says what it waits for; undefined: nothing of ours. */
export const DESCRIPTOR_CALLS: ReadonlyMap<number, (host: Host, call: Call) => Finish | undefined> = new Map([
  [NR.open, open],
  [NR.openat, open],
  [NR.openat2, open],
  [NR.creat, open],
  [NR.close, close],
  [NR.close_range, closeRange],
  [NR.dup, duplicate],
  [NR.dup2, duplicate],
  [NR.dup3, duplicate],
  [NR.fcntl, duplicate],
  [NR.mmap, map],
  [NR.munmap, unmap],
]);
