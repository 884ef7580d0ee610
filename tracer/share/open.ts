import { closeSync, openSync, readSync } from 'node:fs';
import { openTrace, type TraceProblem } from '../store/index.ts';
import { PackedTrace } from './packed-trace.ts';
import type { AnyTrace } from './trace.ts';

const ZSTD_MAGIC = 0xfd2fb528;

/** Opens a `.hvtrace` or a `.hvtrace.zst`, told apart by what they hold; a problem is one line. */
export function openAny(path: string): AnyTrace | TraceProblem {
  return isZstd(path) ? PackedTrace.open(path) : openTrace(path);
}

/** False for what cannot be read: then opening says why. */
function isZstd(path: string): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const magic = Buffer.alloc(4);
    return readSync(fd, magic, 0, 4, 0) === 4 && magic.readUInt32LE(0) === ZSTD_MAGIC;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
