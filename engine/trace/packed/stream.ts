import type { TraceEvent } from '../event.ts';
import { ByteReader, ByteWriter, Malformed } from './bytes.ts';
import { CHUNK_EVENTS, decodeChunk, encodeChunk } from './chunk.ts';

/** What stands before the events. */
export interface PackedHeader {
  /** Line 1 of the event text: the profile as given, and what is expected. */
  readonly header: string;
  /** Number of events in all. */
  readonly events: number;
  /** More that belongs to the trace (engine version, start, notes as JSON), by name. */
  readonly extra: Readonly<Record<string, string>>;
}

/** The one error value of this folder: the bytes are not a packed trace, or a damaged one. */
export interface PackedProblem {
  readonly problem: string;
}

/** `HVRP` and a version. A reader refuses versions from the next one on. */
const MAGIC = 0x5052_5648;
const PACKED_VERSION = 1;

/** A frame is its length (u32), a check sum (u32) and its bytes; all numbers little-endian. */
const FRAME_HEAD_BYTES = 8;
/** Larger frames do not come from here: a chunk is closed after {@link CHUNK_BYTES} of payload. */
const MAX_FRAME_BYTES = 0x1000_0000;
/** Payload after which a chunk is closed early, so that no chunk grows beyond what is decoded at once. */
const CHUNK_BYTES = 8 * 1024 * 1024;

/** FNV-1a, 32 bits: finds damage, proves nothing against intent. */
function checkSum(bytes: Uint8Array): number {
  let sum = 0x811c_9dc5;
  for (let i = 0; i < bytes.length; i += 1) sum = Math.imul(sum ^ (bytes[i] as number), 0x0100_0193);
  return sum >>> 0;
}

function frame(body: Uint8Array): Uint8Array {
  if (body.length > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${body.length} bytes`);
  const bytes = new Uint8Array(FRAME_HEAD_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length, true);
  view.setUint32(4, checkSum(body), true);
  bytes.set(body, FRAME_HEAD_BYTES);
  return bytes;
}

/** The frame that stands first in a packed stream. */
function encodePackedHeader(header: PackedHeader): Uint8Array {
  const writer = new ByteWriter();
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, MAGIC, true);
  writer.raw(new Uint8Array(view.buffer));
  writer.uint(PACKED_VERSION);
  writer.uint(header.events);
  writer.text(header.header);
  const extra = Object.entries(header.extra);
  writer.uint(extra.length);
  for (const [name, value] of extra) {
    writer.text(name);
    writer.text(value);
  }
  return frame(writer.finish());
}

function decodePackedHeader(body: Uint8Array): PackedHeader {
  const reader = new ByteReader(body);
  const magic = reader.raw(4);
  if (new DataView(magic.buffer, magic.byteOffset, 4).getUint32(0, true) !== MAGIC)
    throw new Malformed('not a packed trace');
  const version = reader.uint();
  if (version > PACKED_VERSION)
    throw new Malformed(
      `packed by a newer version (format ${version}, this one reads up to ${PACKED_VERSION})`,
    );
  const events = reader.uint();
  const header = reader.text();
  const extra = new Map<string, string>();
  for (let left = reader.count(); left > 0; left -= 1) {
    const name = reader.text();
    extra.set(name, reader.text());
  }
  if (reader.left !== 0) throw new Malformed('the header is longer than its fields');
  return { header, events, extra: Object.fromEntries(extra) };
}

/** Packs events that follow each other into one frame, which decodes alone: a range to send. */
export function encodePackedEvents(events: readonly TraceEvent[]): Uint8Array {
  return frame(encodeChunk(events));
}

function payloadBytes(event: TraceEvent): number {
  switch (event.kind) {
    case 'ioctl':
      return (
        (event.arg?.length ?? 0) +
        (event.in?.length ?? 0) +
        (event.out?.arg?.length ?? 0) +
        (event.out?.data?.length ?? 0)
      );
    case 'hypercall':
      return (event.input?.length ?? 0) + (event.output?.length ?? 0);
    case 'page':
      return (event.bytes ?? []).reduce((sum, part) => sum + part.bytes.length, 0);
    default:
      return 0;
  }
}

/**
 * Packs a whole trace, frame by frame: the header, then chunks of {@link CHUNK_EVENTS} events. Events must be
 * numbered densely and ordered by time. Compressing the frames is the caller's business.
 */
export function* packTrace(header: PackedHeader, events: Iterable<TraceEvent>): Generator<Uint8Array> {
  yield encodePackedHeader(header);
  let chunk: TraceEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    chunk.push(event);
    bytes += payloadBytes(event);
    if (chunk.length < CHUNK_EVENTS && bytes < CHUNK_BYTES) continue;
    yield encodePackedEvents(chunk);
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield encodePackedEvents(chunk);
}

/** What a packed stream yields: its header once, then its events chunk by chunk, or what is wrong with it. */
export type PackedItem =
  | { readonly header: PackedHeader }
  | { readonly events: readonly TraceEvent[] }
  | PackedProblem;

function checkedFrame(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const body = bytes.subarray(at + FRAME_HEAD_BYTES, at + FRAME_HEAD_BYTES + length);
  const sum = new DataView(bytes.buffer, bytes.byteOffset + at + 4, 4).getUint32(0, true);
  if (checkSum(body) !== sum) throw new Malformed('the check sum is wrong: the file is damaged');
  return body;
}

function guarded<T>(read: () => T): T | PackedProblem {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return { problem: error.message };
    throw error;
  }
}

/** Decodes one frame of {@link encodePackedEvents}. Payloads are views of `bytes`. */
export function decodePackedEvents(bytes: Uint8Array): readonly TraceEvent[] | PackedProblem {
  return guarded(() => {
    if (bytes.length < FRAME_HEAD_BYTES) throw new Malformed('the data ends too early');
    const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
    if (length !== bytes.length - FRAME_HEAD_BYTES) throw new Malformed('the data has a wrong length');
    return decodeChunk(checkedFrame(bytes, 0, length));
  });
}

/**
 * Unpacks a stream that arrives in pieces of any size. Total: whatever the bytes are, the items are the header,
 * chunks whose numbers and times go on from each other, or one problem, after which nothing more comes. Keeps
 * at most one frame.
 */
export class Unpacker {
  private pieces: Uint8Array[] = [];
  private held = 0;
  /** Bytes without which no frame can be complete. */
  private needed = FRAME_HEAD_BYTES;
  private header: PackedHeader | undefined;
  private seen = 0;
  private lastTime = 0;
  private broken = false;

  /** The items that `bytes` completes. */
  *push(bytes: Uint8Array): Generator<PackedItem> {
    this.pieces.push(bytes);
    this.held += bytes.length;
    if (this.broken || this.held < this.needed) return;
    const joined = this.join();
    let at = 0;
    for (;;) {
      this.needed = FRAME_HEAD_BYTES;
      if (joined.length - at < this.needed) break;
      const length = new DataView(joined.buffer, at, 4).getUint32(0, true);
      this.needed += length;
      if (length <= MAX_FRAME_BYTES && joined.length - at < this.needed) break;
      const start = at;
      const item = guarded(() => {
        if (length > MAX_FRAME_BYTES) throw new Malformed('not a packed trace');
        return this.item(checkedFrame(joined, start, length));
      });
      yield item;
      this.broken = 'problem' in item;
      if (this.broken) return;
      at += this.needed;
    }
    // A copy, so that what is held does not keep all that came with it.
    this.pieces = [joined.slice(at)];
    this.held = joined.length - at;
  }

  private join(): Uint8Array {
    const joined = new Uint8Array(this.held);
    let at = 0;
    for (const piece of this.pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }

  /** Says what is missing at the end of the stream; undefined when it is whole. */
  end(): PackedProblem | undefined {
    if (this.broken) return undefined;
    if (this.header === undefined) return { problem: 'not a packed trace' };
    if (this.held > 0) return { problem: `the data ends inside a chunk, after event ${this.seen}` };
    return this.seen === this.header.events
      ? undefined
      : { problem: `the data ends after event ${this.seen} of ${this.header.events}` };
  }

  private item(body: Uint8Array): PackedItem {
    if (this.header === undefined) {
      this.header = decodePackedHeader(body);
      return { header: this.header };
    }
    const events = decodeChunk(body);
    const [first, last] = [events[0], events.at(-1)];
    if (first?.seq !== this.seen + 1 || first.t < this.lastTime || last === undefined)
      throw new Malformed(`the events after event ${this.seen} do not follow`);
    if (last.seq > this.header.events) throw new Malformed('there are more events than the header says');
    this.seen = last.seq;
    this.lastTime = last.t;
    return { events };
  }
}
