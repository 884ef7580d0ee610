import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TraceEvent } from '../../engine/trace/event.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { isProblem, openTrace, TraceFileError, TraceWriter } from './index.ts';

/** What {@link measureStore} measures; rates per second of wall time. */
export interface StoreNumbers {
  readonly events: number;
  /** From the first append to the last. */
  readonly appended: number;
  /** The same, and making one file of it. */
  readonly appendedAndClosed: number;
  readonly bytesPerEvent: number;
  /** Events decoded from the finished file. */
  readonly read: number;
  /** As many bytes as the file has, written to a plain file in pieces of 1 MiB. */
  readonly plainBytes: number;
}

const PIECE_BYTES = 1024 * 1024;

/** Writes the events to a new file in `folder` and reads them back. */
export function measureStore(
  header: TraceHeader,
  events: readonly TraceEvent[],
  folder: string,
): StoreNumbers {
  const path = join(folder, 'store-bench.hvtrace');
  const writer = TraceWriter.create(path, header, { force: true });
  if (isProblem(writer)) throw new TraceFileError(writer);
  const startMs = performance.now();
  for (const event of events) writer.append(event);
  const appendedMs = performance.now();
  writer.close();
  const closedMs = performance.now();
  const { size } = statSync(path);

  const reader = openTrace(path);
  if (isProblem(reader)) throw new TraceFileError(reader);
  const readStartMs = performance.now();
  let read = 0;
  for (const _ of reader.range()) read += 1;
  const readMs = performance.now();
  reader.close();

  const rate = (count: number, ms: number): number => (count / ms) * 1000;
  return {
    events: read,
    appended: rate(read, appendedMs - startMs),
    appendedAndClosed: rate(read, closedMs - startMs),
    bytesPerEvent: size / read,
    read: rate(read, readMs - readStartMs),
    plainBytes: rate(size, plainAppendMs(join(folder, 'store-bench.bytes'), size)),
  };
}

function plainAppendMs(path: string, size: number): number {
  const piece = Buffer.alloc(PIECE_BYTES, 0x5a);
  const fd = openSync(path, 'w');
  const startMs = performance.now();
  for (let done = 0; done < size; done += PIECE_BYTES)
    writeSync(fd, piece, 0, Math.min(PIECE_BYTES, size - done));
  const ms = performance.now() - startMs;
  closeSync(fd);
  return ms;
}
