/** Entries of one chunk; 64 Ki entries keep a chunk below 2 MiB. */
export const JOURNAL_CHUNK_ENTRIES = 65_536;

/** The cell's old value was not known (the recording began mid-life). */
export const OLD_UNKNOWN = 1;

/** The cell is not known any more, and holds 0. */
export const NOW_UNKNOWN = 4;
/** An existence cell became 1 and all cells of the object are known from here (to be seen in the entry's flags). */
export const CREATED_KNOWN = 2;

/** A run of journal entries in columns: `count` writes, the first of which is entry number `first`. */
export interface JournalChunk {
  readonly first: number;
  count: number;
  readonly cell: Uint32Array;
  readonly old: BigUint64Array;
  readonly now: BigUint64Array;
  /** The same in words of 32 bits, the low one first: hot paths need no BigInt. */
  readonly oldWords: Uint32Array;
  readonly nowWords: Uint32Array;
  /** Address of the writer. */
  readonly seq: Uint32Array;
  readonly sub: Uint32Array;
  /** Component of the writer, an index in the store's `components`. */
  readonly component: Uint16Array;
  readonly flags: Uint8Array;
}

export function newChunk(first: number, capacity = JOURNAL_CHUNK_ENTRIES): JournalChunk {
  const [old, now] = [new BigUint64Array(capacity), new BigUint64Array(capacity)];
  return {
    first,
    count: 0,
    cell: new Uint32Array(capacity),
    old,
    now,
    oldWords: new Uint32Array(old.buffer),
    nowWords: new Uint32Array(now.buffer),
    seq: new Uint32Array(capacity),
    sub: new Uint32Array(capacity),
    component: new Uint16Array(capacity),
    flags: new Uint8Array(capacity),
  };
}

/** An empty chunk after `full`, in the same memory: for a journal that nobody keeps. */
export function reusedChunk(full: JournalChunk): JournalChunk {
  return { ...full, first: full.first + full.count, count: 0 };
}

/** Where full chunks go: kept for seeking, written to a file, or dropped by a check that only streams. */
export type JournalSink = (chunk: JournalChunk) => void;
