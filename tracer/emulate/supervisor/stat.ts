import { statSync } from 'node:fs';
import { ERRNO, NR } from '../../native/numbers.ts';
import { AT_FDCWD, isDevice } from '../../process/device-path.ts';
import type { DeviceFile } from './device-file.ts';
import type { Call, Host } from './host.ts';

const AT_EMPTY_PATH = 0x1000;
/** Modes (Linux include/uapi/linux/stat.h); a file without an inode of its own has no type. */
const CHARACTER_DEVICE = 0o020000;
const OWNER_ONLY = 0o600;
/** MISC_MAJOR, and one of the minors that the kernel deals out (Linux drivers/char/misc.c). */
const MAJOR = 10;
const MINOR = 125;
const BLOCK_BYTES = 4096;
const STAT_BYTES = 144;
const STATX_BYTES = 256;
const STATX_BASIC_STATS = 0x7ff;
const X_OK = 1;
const EVERY_MODE = 7;
const NANOSECONDS = 1_000_000_000n;

interface Status {
  readonly inode: bigint;
  readonly mode: number;
  readonly isDevice: boolean;
}

const DEVICE_STATUS: Status = { inode: 0x6d73n, mode: CHARACTER_DEVICE | OWNER_ONLY, isDevice: true };
/** Partitions and VPs (Linux fs/anon_inodes.c: one inode for all of them). */
const ANONYMOUS: Status = { inode: 0x6d74n, mode: OWNER_ONLY, isDevice: false };

/** The file system of /dev, and when the emulation began: what of a status is not about the device. */
const FOLDER = statSync('/dev', { bigint: true });
const BEGAN = BigInt(Date.now()) * 1_000_000n;

/** struct stat (Linux arch/x86/include/uapi/asm/stat.h). */
function statOf({ inode, mode, isDevice }: Status): Uint8Array {
  const bytes = new Uint8Array(STAT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, FOLDER.dev, true);
  view.setBigUint64(8, inode, true);
  view.setBigUint64(16, 1n, true);
  view.setUint32(24, mode, true);
  if (isDevice) view.setUint32(40, (MAJOR << 8) | MINOR, true);
  view.setBigUint64(56, BigInt(BLOCK_BYTES), true);
  for (const at of [72, 88, 104]) {
    view.setBigInt64(at, BEGAN / NANOSECONDS, true);
    view.setBigInt64(at + 8, BEGAN % NANOSECONDS, true);
  }
  return bytes;
}

/** struct statx (Linux include/uapi/linux/stat.h). */
function statxOf({ inode, mode, isDevice }: Status): Uint8Array {
  const bytes = new Uint8Array(STATX_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, STATX_BASIC_STATS, true);
  view.setUint32(4, BLOCK_BYTES, true);
  view.setUint32(16, 1, true);
  view.setUint16(28, mode, true);
  view.setBigUint64(32, inode, true);
  for (const at of [64, 96, 112]) {
    view.setBigInt64(at, BEGAN / NANOSECONDS, true);
    view.setUint32(at + 8, Number(BEGAN % NANOSECONDS), true);
  }
  if (isDevice) {
    view.setUint32(128, MAJOR, true);
    view.setUint32(132, MINOR, true);
  }
  view.setUint32(136, Number((FOLDER.dev >> 8n) & 0xfffn), true);
  view.setUint32(140, Number(FOLDER.dev & 0xffn), true);
  return bytes;
}

/** What a call asks about: by path, or a descriptor. */
interface Asked {
  readonly folder: number;
  readonly path?: number;
  readonly flags: number;
  /** Where the answer goes; access() has none. */
  readonly buffer?: number;
  readonly mode?: number;
}

function asked({ nr, args: [a, b, c, d, e] }: Call): Asked {
  switch (nr) {
    case NR.fstat:
      return { folder: a, flags: AT_EMPTY_PATH, buffer: b };
    case NR.stat:
    case NR.lstat:
      return { folder: AT_FDCWD, path: a, flags: 0, buffer: b };
    case NR.newfstatat:
      return { folder: a | 0, path: b, flags: d, buffer: c };
    case NR.statx:
      return { folder: a | 0, path: b, flags: c, buffer: e };
    case NR.access:
      return { folder: AT_FDCWD, path: a, flags: 0, mode: b };
    default:
      return { folder: a | 0, path: b, flags: nr === NR.faccessat2 ? d : 0, mode: c };
  }
}

function statusOf(file: DeviceFile | undefined): Status | undefined {
  if (file === undefined) return undefined;
  const { kind } = file.handle;
  return kind === 'device' || kind === 'foreign' ? DEVICE_STATUS : ANONYMOUS;
}

function found(host: Host, call: Call, { folder, path, flags }: Asked): Status | undefined {
  const { process, tid } = call;
  const text = path === undefined ? '' : host.memory.readPath(process.pid, path);
  if (text === '') return (flags & AT_EMPTY_PATH) === 0 ? undefined : statusOf(process.files.get(folder));
  return text !== undefined && isDevice(tid, text, folder) ? DEVICE_STATUS : undefined;
}

/** stat(), access() and their kin: the device is there, of type and number as with the driver; all else is the kernel's. */
export function status(host: Host, call: Call): void {
  const { listener, memory } = host;
  const question = asked(call);
  const answer = found(host, call, question);
  const { buffer, mode } = question;
  if (answer === undefined) {
    listener.proceed(call.id);
  } else if (buffer !== undefined) {
    const bytes = call.nr === NR.statx ? statxOf(answer) : statOf(answer);
    listener.answer(call.id, memory.write(call.process.pid, buffer, bytes) ? 0 : -ERRNO.EFAULT);
  } else if (mode !== undefined && (mode & ~EVERY_MODE) !== 0) {
    listener.answer(call.id, -ERRNO.EINVAL);
  } else {
    // Whoever may open it may read and write it; nobody may execute it.
    listener.answer(call.id, ((mode ?? 0) & X_OK) === 0 ? 0 : -ERRNO.EACCES);
  }
}
