import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { ERRNO, NR } from '../native/numbers.ts';
import { freeNumber, install } from './descriptors.ts';
import { type Call, type Host, stamp } from './host.ts';

const DEVICE = '/dev/mshv';
const NAME = posix.basename(DEVICE);

const AT_FDCWD = -100;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_DIRECTORY = 0o200000;
const O_CLOEXEC = 0o2000000;
const OPEN_HOW_BYTES = 24;

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

function isDevice(call: Call, path: string, folder: number): boolean {
  // Nearly every open ends here: the last part of the path decides without a look at folders.
  if (!path.endsWith(NAME)) return false;
  if (posix.isAbsolute(path)) return posix.normalize(path) === DEVICE;
  try {
    const start = readlinkSync(`/proc/${call.tid}/${folder === AT_FDCWD ? 'cwd' : `fd/${folder}`}`);
    return posix.resolve(start, path) === DEVICE;
  } catch {
    return false;
  }
}

/** open() and its kin: the device is the emulated one, all else the kernel's. */
export function open(host: Host, call: Call): void {
  const { listener } = host;
  const { path: pointer, flags, folder } = read(host, call);
  const path = host.memory.readPath(call.process.pid, pointer);
  if (path === undefined || !isDevice(call, path, folder)) {
    listener.proceed(call.id);
    return;
  }
  const fd = freeNumber(host, call.process);
  const refused =
    (flags & O_DIRECTORY) !== 0
      ? ERRNO.ENOTDIR
      : (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0
        ? ERRNO.EEXIST
        : fd === undefined
          ? ERRNO.EMFILE
          : 0;
  const event = { ...stamp(host, call.process, call.tid), kind: 'fd', what: 'open', path: DEVICE } as const;
  if (fd === undefined || refused !== 0) {
    host.live.feed({ ...event, ret: -refused });
    listener.answer(call.id, -refused);
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
  const closeOnExec = (flags & O_CLOEXEC) !== 0;
  host.deliver(call, file, fd, closeOnExec);
}
