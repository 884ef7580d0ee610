import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { zstdDecompressSync } from 'node:zlib';
import type { Start } from '../../engine/replay/start.ts';
import { readStart } from '../../engine/replay/start-text.ts';
import type { KindRegistry } from '../../engine/state/kind-path.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { decodePackedEvents, type PackedHeader, Unpacker } from '../../engine/trace/packed/stream.ts';
import type { TraceHeader } from '../../engine/trace/profile.ts';
import { type JsonObject, parseJson } from '../../engine/trace/text/json.ts';
import { readCounts, readHeader } from '../store/format/meta.ts';
import { readGaps, readNotes } from '../store/format/notes.ts';
import {
  type Gap,
  type Note,
  problem,
  type TraceCounts,
  TraceFileError,
  type TraceProblem,
} from '../store/index.ts';
import { EXTRA } from './packed-extra.ts';
import { decodeIndex, FOOTER_BYTES, indexBytes, type PackedFrame } from './packed-index.ts';
import type { AnyTrace } from './trace.ts';

/** Most that one frame may unpack to: a chunk closes after 8 MiB of payload, the last of which has up to 32. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** Unpacked chunks that are kept, for views that jump to and fro. */
const KEPT_CHUNKS = 4;

interface Chunk extends PackedFrame {
  /** Where it starts in the file. */
  readonly offset: number;
  /** Seq of its first event. */
  readonly first: number;
}

/** A `.hvtrace.zst` that is open for reading. Whatever the file holds, memory stays within a few chunks. */
export class PackedTrace implements AnyTrace {
  readonly path: string;
  readonly header: TraceHeader;
  readonly counts: TraceCounts;
  readonly notices: readonly string[] = [];
  readonly #extra: Readonly<Record<string, string>>;
  readonly #fd: number;
  readonly #chunks: readonly Chunk[];
  readonly #kept = new Map<Chunk, readonly TraceEvent[]>();

  private constructor(path: string, fd: number, chunks: readonly Chunk[], packed: PackedHeader) {
    const header = readHeader(packed.header, packed.extra[EXTRA.profile] ?? '');
    const counts = readCounts(packed.extra[EXTRA.counts] ?? '');
    const last = chunks.at(-1);
    const events = last === undefined ? 0 : last.first + last.events - 1;
    if (header === undefined || counts === undefined || counts.events !== events || packed.events !== events)
      throw corrupt(path, 'its header is damaged');
    this.path = path;
    this.header = header;
    this.counts = counts;
    this.#extra = packed.extra;
    this.#fd = fd;
    this.#chunks = chunks;
  }

  /** Opens a packed trace; a problem is one line. */
  static open(path: string): PackedTrace | TraceProblem {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      return problem('unreadable', `${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
    }
    try {
      const frames = readIndex(path, fd);
      const [first, ...chunks] = frames;
      if (first === undefined) throw corrupt(path, 'it has no header');
      return new PackedTrace(path, fd, chunks, readPackedHeader(path, fd, first));
    } catch (error) {
      closeSync(fd);
      if (error instanceof TraceFileError) return error.problem;
      throw error;
    }
  }

  get tool(): string | undefined {
    return this.#extra[EXTRA.tool];
  }

  get engine(): string | undefined {
    return this.#extra[EXTRA.engine];
  }

  get start(): string | undefined {
    return this.#extra[EXTRA.start];
  }

  get capture(): string | undefined {
    return this.#extra[EXTRA.capture];
  }

  get hash(): string | undefined {
    return this.#extra[EXTRA.hash];
  }

  get complete(): boolean {
    return this.#extra[EXTRA.state] === 'complete';
  }

  get events(): number {
    return this.counts.events;
  }

  *range(from = 1, to = this.events): Generator<TraceEvent, void, undefined> {
    const last = Math.min(to, this.events);
    let t = 0;
    for (let next = Math.max(1, from); next <= last; ) {
      const chunk = this.#chunkOf(next);
      const events = this.#unpack(chunk);
      if ((events[0] as TraceEvent).t < t)
        throw corrupt(this.path, `event ${chunk.first} is before the one before it`);
      t = (events.at(-1) as TraceEvent).t;
      const end = Math.min(last, chunk.first + chunk.events - 1);
      for (; next <= end; next += 1) yield events[next - chunk.first] as TraceEvent;
    }
  }

  event(seq: number): TraceEvent | undefined {
    if (!Number.isSafeInteger(seq) || seq < 1 || seq > this.events) return undefined;
    const chunk = this.#chunkOf(seq);
    return this.#unpack(chunk)[seq - chunk.first];
  }

  origin(registry: KindRegistry): Start | undefined {
    const text = this.#extra[EXTRA.origin];
    if (text === undefined) return undefined;
    const read = parseJson(text);
    const start =
      'value' in read && typeof read.value === 'object'
        ? readStart(read.value as JsonObject, registry)
        : undefined;
    if (start === undefined)
      throw corrupt(this.path, 'the state with which it starts is not one that this engine can read');
    return start;
  }

  notes(): readonly Note[] {
    return this.#list(readNotes(this.#extra[EXTRA.notes] ?? '[]'));
  }

  gaps(): readonly Gap[] {
    return this.#list(readGaps(this.#extra[EXTRA.gaps] ?? '[]'));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #list<T>(read: readonly T[] | undefined): readonly T[] {
    if (read === undefined) throw corrupt(this.path, 'its notes are damaged');
    return read;
  }

  #chunkOf(seq: number): Chunk {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle] as Chunk).first <= seq) low = middle;
      else high = middle - 1;
    }
    return this.#chunks[low] as Chunk;
  }

  #unpack(chunk: Chunk): readonly TraceEvent[] {
    const kept = this.#kept.get(chunk);
    if (kept !== undefined) return kept;
    const events = decodePackedEvents(inflate(this.path, this.#fd, chunk));
    if ('problem' in events) throw corrupt(this.path, events.problem);
    if (events.length !== chunk.events || events[0]?.seq !== chunk.first)
      throw corrupt(this.path, `its index says other events than those from ${chunk.first} on`);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < KEPT_CHUNKS) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(chunk, events);
    return events;
  }
}

function corrupt(path: string, what: string): TraceFileError {
  return new TraceFileError(problem('corrupt', `${path}: ${what}; pack it again from its .hvtrace`));
}

function readAt(path: string, fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (readSync(fd, bytes, 0, length, offset) !== length) throw corrupt(path, 'it is cut off');
  return bytes;
}

function readIndex(path: string, fd: number): Chunk[] {
  const total = fstatSync(fd).size;
  const length =
    total < FOOTER_BYTES ? undefined : indexBytes(readAt(path, fd, total - FOOTER_BYTES, FOOTER_BYTES));
  if (length === undefined || length > total) throw corrupt(path, 'it is not a packed trace, or cut off');
  const frames = decodeIndex(readAt(path, fd, total - length, length));
  if (frames === undefined) throw corrupt(path, 'its index is damaged');
  let offset = 0;
  let first = 1;
  const chunks = frames.map((frame, i) => {
    const chunk = { ...frame, offset, first };
    offset += frame.packed;
    first += frame.events;
    // The first frame is the header.
    if ((i === 0) !== (frame.events === 0)) throw corrupt(path, 'its index is damaged');
    if (frame.size > MAX_FRAME_BYTES) throw corrupt(path, `a part of it would unpack to ${frame.size} bytes`);
    return chunk;
  });
  if (offset !== total - length) throw corrupt(path, 'its index is not of this file');
  return chunks;
}

function inflate(path: string, fd: number, chunk: Chunk): Uint8Array {
  const packed = readAt(path, fd, chunk.offset, chunk.packed);
  try {
    return new Uint8Array(zstdDecompressSync(packed, { maxOutputLength: chunk.size }));
  } catch {
    throw corrupt(path, 'a part of it cannot be unpacked');
  }
}

function readPackedHeader(path: string, fd: number, frame: Chunk): PackedHeader {
  const [item] = new Unpacker().push(inflate(path, fd, frame));
  if (item === undefined || !('header' in item))
    throw corrupt(path, item !== undefined && 'problem' in item ? item.problem : 'its header is cut');
  return item.header;
}
