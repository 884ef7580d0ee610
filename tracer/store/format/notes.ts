import {
  type Address,
  formatAddress,
  isCount,
  parseAddress,
  type Seq,
  seqOf,
  type TimeNs,
  timeNs,
} from '../../../engine/trace/position.ts';

/** A note or bookmark that somebody put on a trace. */
export interface Note {
  readonly at: Address;
  readonly text: string;
  readonly author?: string;
}

/** A place where events were lost; `lost` where it is known how many. */
export interface Gap {
  /** The last event before it; 0 at the start. */
  readonly after: Seq;
  readonly t: TimeNs;
  readonly lost?: number;
  readonly reason: string;
}

/** A note of plain values; undefined where it is none. */
export function noteOf(at: unknown, text: unknown, author: unknown): Note | undefined {
  const address = typeof at === 'string' ? parseAddress(at) : undefined;
  if (address === undefined || typeof text !== 'string') return undefined;
  if (author === undefined || author === null) return { at: address, text };
  return typeof author === 'string' ? { at: address, text, author } : undefined;
}

/** A gap of plain values; undefined where it is none. */
export function gapOf(after: unknown, t: unknown, lost: unknown, reason: unknown): Gap | undefined {
  if (!isCount(after) || !isCount(t) || typeof reason !== 'string') return undefined;
  const gap = { after: seqOf(after), t: timeNs(t), reason };
  if (lost === undefined || lost === null) return gap;
  return isCount(lost) ? { ...gap, lost } : undefined;
}

/** Notes as JSON, for the packed form. */
export function writeNotes(notes: readonly Note[]): string {
  return JSON.stringify(notes.map((note) => ({ ...note, at: formatAddress(note.at) })));
}

export function readNotes(json: string): Note[] | undefined {
  return readList(json, ({ at, text, author }) => noteOf(at, text, author));
}

export function writeGaps(gaps: readonly Gap[]): string {
  return JSON.stringify(gaps);
}

export function readGaps(json: string): Gap[] | undefined {
  return readList(json, ({ after, t, lost, reason }) => gapOf(after, t, lost, reason));
}

function readList<T>(
  json: string,
  read: (item: Readonly<Record<string, unknown>>) => T | undefined,
): T[] | undefined {
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(found)) return undefined;
  const list: T[] = [];
  for (const item of found as unknown[]) {
    const value =
      typeof item === 'object' && item !== null ? read(item as Record<string, unknown>) : undefined;
    if (value === undefined) return undefined;
    list.push(value);
  }
  return list;
}
