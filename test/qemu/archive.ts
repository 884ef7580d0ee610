/**
 * `archive.ts PROGRAM OUT`: an archive for a Linux kernel to start from (Linux Documentation/driver-api/early-userspace/buffer-format.rst,
 * newc) with the program as /init and a /dev/console for it.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const FOLDER = 0o040755;
const DEVICE = 0o020600;
const PROGRAM = 0o100755;

/** Of `bytes` up to the next multiple of `unit`. */
const padded = (bytes: Buffer, unit: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(-bytes.length & (unit - 1))]);

function entry(name: string, mode: number, data = Buffer.alloc(0), [major, minor] = [0, 0]): Buffer {
  const [inode, user, group, links, time] = [0, 0, 0, 1, 0];
  const fields = [inode, mode, user, group, links, time, data.length, 0, 0, major, minor, name.length + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(header, 'latin1'), 4), padded(data, 4)]);
}

const [program = '', out = ''] = process.argv.slice(2);
const entries = [
  entry('dev', FOLDER),
  entry('dev/console', DEVICE, undefined, [5, 1]),
  entry('init', PROGRAM, readFileSync(program)),
  entry('TRAILER!!!', 0),
];
writeFileSync(out, padded(Buffer.concat(entries), 512));
