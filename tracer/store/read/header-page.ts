import { closeSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { APPLICATION_ID, FORMAT_VERSION } from '../format/schema.ts';
import { problem, type TraceProblem } from '../problem.ts';

const HEADER_BYTES = 100;
const SQLITE_MAGIC = 'SQLite format 3\0';
const ZSTD_MAGIC = 0xfd2fb528;

/** The file as the file system has it, without opening it; a problem for what can be no trace. */
export function statTrace(path: string): Stats | TraceProblem {
  let stat: Stats;
  try {
    stat = statSync(path);
  } catch (error) {
    return fileProblem(path, error);
  }
  if (stat.isDirectory()) return problem('not-a-trace', `${path}: is a folder; name a .hvtrace file`);
  if (!stat.isFile()) return problem('not-a-trace', `${path}: is not a regular file; name a .hvtrace file`);
  return stat.size === 0 ? cutAtStart(path) : stat;
}

/** A recorder makes an empty file first, then commits the header. */
export function cutAtStart(path: string): TraceProblem {
  return problem('not-a-trace', `${path}: is empty; its recording was cut before it began, record again`);
}

/**
 * What a file is that SQLite does not take (`code`: what it said). Only then is the file opened here: to close
 * it again would release the locks that this process holds on it (POSIX, fcntl), those of a recorder too.
 */
export function explainFile(path: string, bytes: number, code: string): TraceProblem {
  let header: Buffer;
  try {
    header = readStart(path);
  } catch (error) {
    return fileProblem(path, error);
  }
  if (header.toString('latin1', 0, 16) !== SQLITE_MAGIC) return strange(path, header);
  if (header.length < HEADER_BYTES) return torn(path, bytes, HEADER_BYTES);
  if (header.readUInt32BE(68) !== APPLICATION_ID)
    return problem('not-a-trace', `${path}: is an SQLite database of another program, not a trace`);
  const version = header.readUInt32BE(60);
  if (version > FORMAT_VERSION) return newer(path, version);
  const size = header.readUInt16BE(16);
  const expected = (size === 1 ? 65536 : size) * header.readUInt32BE(28);
  if (bytes < expected) return torn(path, bytes, expected);
  return problem(
    'corrupt',
    `${path}: is damaged (${code}); hvrewind recover ${path} -o FILE saves its events`,
  );
}

export function newer(path: string, version: number): TraceProblem {
  return problem(
    'newer',
    `${path}: has format version ${version}, this hvrewind reads up to ${FORMAT_VERSION}; update hvrewind`,
  );
}

function torn(path: string, bytes: number, expected: number): TraceProblem {
  return problem(
    'torn',
    `${path}: is cut off, ${bytes} of ${expected} bytes are there; hvrewind recover ${path} -o FILE saves its events`,
  );
}

export function fileProblem(path: string, error: unknown): TraceProblem {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return problem('missing', `${path}: no such file; check the name`);
  if (code === 'EACCES' || code === 'EPERM')
    return problem('unreadable', `${path}: not permitted to read it; check its permissions`);
  return problem('unreadable', `${path}: cannot be read (${code})`);
}

function readStart(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const start = Buffer.alloc(HEADER_BYTES);
    return start.subarray(0, readSync(fd, start, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

/** Names what else the file seems to be. */
function strange(path: string, header: Buffer): TraceProblem {
  if (header.length >= 4 && header.readUInt32LE(0) === ZSTD_MAGIC)
    return problem('packed', `${path}: is packed; hvrewind unpack ${path} -o FILE makes a trace of it`);
  const text = header.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
  if (text)
    return problem(
      'not-a-trace',
      `${path}: is text, not a trace; import it first: hvrewind import ${path} -o FILE`,
    );
  return problem('not-a-trace', `${path}: is not a trace; name a .hvtrace or .hvtrace.zst file`);
}
