import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { constants, zstdCompressSync } from 'node:zlib';
import type { Start } from '../../engine/replay/start.ts';
import { formatStart } from '../../engine/replay/start-text.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { HeldMemory } from '../../engine/trace/held-memory.ts';
import { packTrace } from '../../engine/trace/packed/stream.ts';
import { formatHeader } from '../../engine/trace/text/header.ts';
import { writeProfile } from '../store/format/meta.ts';
import { writeGaps, writeNotes } from '../store/format/notes.ts';
import { problem, type TraceProblem } from '../store/index.ts';
import { writeProblem } from '../store/problem.ts';
import { EXTRA } from './packed-extra.ts';
import { encodeIndex, type PackedFrame } from './packed-index.ts';
import type { AnyTrace } from './trace.ts';

/** Far enough up that more would cost seconds for a few per cent. */
const LEVEL = 12;

export interface Packed {
  readonly events: number;
  readonly bytes: number;
  /** Pages of guest memory that it holds. */
  readonly memoryPages: number;
}

/**
 * Packs a trace into a new file: what is needed to show, replay and judge it, without the journal and
 * checkpoints, which replay makes again; `origin` is the state with which it starts. A problem with the new file is returned and leaves no file; one with
 * the trace is thrown as it reads.
 */
export function pack(
  trace: AnyTrace,
  path: string,
  options: { readonly force: boolean; readonly origin?: Start },
): Packed | TraceProblem {
  let fd: number;
  try {
    fd = openSync(path, options.force ? 'w' : 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      return problem('exists', `${path}: exists already; name another file or replace it with --force`);
    return writeProblem(path, error);
  }
  let done = false;
  try {
    const packed = writeFrames(trace, fd, options.origin);
    done = true;
    return packed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return writeProblem(path, error);
  } finally {
    closeSync(fd);
    if (!done) rmSync(path, { force: true });
  }
}

function writeFrames(trace: AnyTrace, fd: number, origin: Start | undefined): Packed {
  const frames: PackedFrame[] = [];
  let bytes = 0;
  let counted = 0;
  let before = 0;
  const held = new HeldMemory();
  const events = function* (): Generator<TraceEvent, void, undefined> {
    for (const event of trace.range()) {
      counted += 1;
      held.note(event);
      yield event;
    }
  };
  const header = { header: formatHeader(trace.header), events: trace.events, extra: extraOf(trace, origin) };
  for (const frame of packTrace(header, events())) {
    const packed = zstdCompressSync(frame, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
    writeSync(fd, packed);
    // A chunk comes as soon as its last event was taken.
    frames.push({ packed: packed.length, size: frame.length, events: counted - before });
    before = counted;
    bytes += packed.length;
  }
  const index = encodeIndex(frames);
  writeSync(fd, index);
  return { events: counted, bytes: bytes + index.length, memoryPages: held.pages };
}

function extraOf(trace: AnyTrace, origin: Start | undefined): Record<string, string> {
  const { tool, engine, start, capture, hash } = trace;
  const given = { tool, engine, start, capture, hash };
  const extra: Record<string, string> = {
    [EXTRA.profile]: writeProfile(trace.header),
    [EXTRA.counts]: JSON.stringify(trace.counts),
    [EXTRA.state]: trace.complete ? 'complete' : 'recording',
    [EXTRA.notes]: writeNotes(trace.notes()),
    [EXTRA.gaps]: writeGaps(trace.gaps()),
    ...(origin === undefined ? {} : { [EXTRA.origin]: formatStart(origin) }),
  };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) extra[name] = value;
  return extra;
}
