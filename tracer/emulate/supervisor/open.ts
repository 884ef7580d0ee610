import { posix } from 'node:path';
import { ERRNO, NR } from '../../native/numbers.ts';
import { AT_FDCWD, DEVICE, isDevice } from '../../process/device-path.ts';
import { install, newNumber } from './descriptors.ts';
import { type Call, type Host, stamp } from './host.ts';

const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_DIRECTORY = 0o200000;
const O_CLOEXEC = 0o2000000;
const O_DIRECT = 0o40000;
const O_PATH = 0o10000000;
/** struct open_how: flags, mode, resolve; later kernels may have more, which is 0 here. */
const OPEN_HOW_BYTES = 24;
const PAGE_BYTES = 4096;
/** Every flag of open (Linux include/linux/fcntl.h: VALID_OPEN_FLAGS) and of resolve (RESOLVE_…). */
const KNOWN_FLAGS = 0o37777703n;
const KNOWN_RESOLVE = 0x3fn;
const RESOLVE_BENEATH = 8n;

/** Where the path and the flags of a call stand; `folder`: the descriptor that a relative path starts from. */
function read(
  host: Host,
  call: Call,
): { readonly path: number; readonly flags: number; readonly folder: number } {
  const [a, b, c, d] = call.args;
  switch (call.nr) {
    case NR.open:
      return { path: a, flags: b, folder: AT_FDCWD };
    case NR.creat:
      return { path: a, flags: O_CREAT, folder: AT_FDCWD };
    case NR.openat2: {
      const how = host.memory.read(call.process.pid, c, Math.min(d, OPEN_HOW_BYTES));
      const flags = how === undefined ? 0 : new DataView(how.buffer).getUint32(0, true);
      return { path: b, flags, folder: a | 0 };
    }
    default:
      return { path: b, flags: c, folder: a | 0 };
  }
}

/** What the kernel says of flags on a character device that is there; 0 where it opens it. */
function refusedFlags(flags: number): number {
  if ((flags & O_DIRECTORY) !== 0) return ERRNO.ENOTDIR;
  if ((flags & O_PATH) !== 0) return 0;
  if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) return ERRNO.EEXIST;
  // The driver reads and writes nothing, so nothing can be direct.
  return (flags & O_DIRECT) === 0 ? 0 : ERRNO.EINVAL;
}

/** What openat2() says of its argument (Linux fs/open.c, build_open_flags); 0 where nothing. */
function refusedHow({ memory }: Host, { process, args }: Call, path: string): number {
  const [, , pointer, size] = args;
  if (size < OPEN_HOW_BYTES) return ERRNO.EINVAL;
  if (size > PAGE_BYTES) return ERRNO.E2BIG;
  const how = memory.read(process.pid, pointer, size);
  if (how === undefined) return ERRNO.EFAULT;
  if (how.subarray(OPEN_HOW_BYTES).some((byte) => byte !== 0)) return ERRNO.E2BIG;
  const view = new DataView(how.buffer);
  const [flags, mode, resolve] = [0, 8, 16].map((at) => view.getBigUint64(at, true)) as [
    bigint,
    bigint,
    bigint,
  ];
  const creates = (flags & BigInt(O_CREAT)) !== 0n;
  if ((flags & ~KNOWN_FLAGS) !== 0n || (resolve & ~KNOWN_RESOLVE) !== 0n || (mode !== 0n && !creates))
    return ERRNO.EINVAL;
  return (resolve & RESOLVE_BENEATH) !== 0n && posix.isAbsolute(path) ? ERRNO.EXDEV : 0;
}

/** open() and its kin: the device is the emulated one, all else the kernel's. */
export function open(host: Host, call: Call): void {
  const { listener } = host;
  const { path: pointer, flags, folder } = read(host, call);
  const path = host.memory.readPath(call.process.pid, pointer);
  if (path === undefined || !isDevice(call.tid, path, folder)) {
    listener.proceed(call.id);
    return;
  }
  const fd = newNumber(host, call.process);
  const refused =
    (call.nr === NR.openat2 ? refusedHow(host, call, path) : 0) ||
    refusedFlags(flags) ||
    (fd === undefined ? ERRNO.EMFILE : 0);
  const event = { ...stamp(host, call.process, call.tid), kind: 'fd', what: 'open', path: DEVICE } as const;
  if (fd === undefined || refused !== 0) {
    host.live.feed({ ...event, ret: -refused });
    listener.answer(call.id, -refused);
    return;
  }
  const closeOnExec = (flags & O_CLOEXEC) !== 0;
  if ((flags & O_PATH) !== 0) {
    // A name without the file: the driver hears nothing of it.
    const name = host.files.open({ kind: 'foreign', fd });
    install(host, call.process, fd, name);
    host.deliver(call, name, fd, closeOnExec);
    return;
  }
  const handle = host.nextDevice();
  const result = host.live.feed({ ...event, fd, handle });
  const ret = result.returned.find(({ seq }) => seq === result.seq)?.ret ?? -ERRNO.ENOENT;
  if (ret < 0) {
    listener.answer(call.id, ret);
    return;
  }
  const file = host.files.open(handle);
  install(host, call.process, fd, file);
  host.deliver(call, file, fd, closeOnExec);
}
