/** What passes through the ring: plain values, nested. */
export type Plain = number | bigint | string | null | Uint8Array | PlainObject;
export interface PlainObject {
  readonly [key: string]: Plain | undefined;
}

/** Keys are sent as their place here. */
const KEYS = [
  ...['begin', 'end', 'event', 'kernel', 'id', 'answer', 'kind', 'what', 't', 'pid', 'tid', 'fd', 'handle'],
  ...['op', 'dialect', 'arg', 'in', 'out', 'data', 'ret', 'tEnd', 'path', 'from', 'offset', 'size', 'addr'],
  ...['note', 'text', 'lost', 'open', 'partition', 'vp', 'reason'],
] as const;
const PLACE = new Map<string, number>(KEYS.map((key, place) => [key, place]));
const END = 0xff;

/** Texts that nearly every observation has are sent as their place here: making them of bytes costs as much as all the rest. */
const WORDS = [
  ...[
    'ioctl',
    'fd',
    'mark',
    'lifecycle',
    'open',
    'close',
    'dup',
    'mmap',
    'munmap',
    'note',
    'gap',
    'process-exit',
  ],
  ...['device', 'partition', 'vp', 'sint', 'hvcall', 'vtl', 'vtl-low', 'eventfd', 'foreign'],
] as const;
const WORD_PLACE = new Map<string, number>(WORDS.map((word, place) => [word, place]));

const TAG = { null: 0, number: 1, bigint: 2, string: 3, bytes: 4, object: 5, word: 6 } as const;
/** A tag and the longest fixed part. */
const OVERHEAD = 1 + 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** At most so many bytes are needed for a value. */
export function roomFor(value: Plain): number {
  if (typeof value === 'string') return OVERHEAD + 3 * value.length;
  if (value instanceof Uint8Array) return OVERHEAD + value.length;
  if (typeof value !== 'object' || value === null) return OVERHEAD;
  let room = OVERHEAD;
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member !== undefined) room += 1 + roomFor(member);
  }
  return room;
}

/** Writes a value at `at`; returns where the next thing goes. Members that are undefined are left out. */
export function writePlain(bytes: Uint8Array, view: DataView, at: number, value: Plain): number {
  if (value === null) {
    bytes[at] = TAG.null;
    return at + 1;
  }
  if (typeof value === 'number') {
    bytes[at] = TAG.number;
    view.setFloat64(at + 1, value, true);
    return at + 9;
  }
  if (typeof value === 'bigint') {
    bytes[at] = TAG.bigint;
    view.setBigUint64(at + 1, value, true);
    return at + 9;
  }
  if (typeof value === 'string') {
    const word = WORD_PLACE.get(value);
    if (word === undefined) return writeBytes(bytes, view, at, TAG.string, encoder.encode(value));
    bytes[at] = TAG.word;
    bytes[at + 1] = word;
    return at + 2;
  }
  if (value instanceof Uint8Array) return writeBytes(bytes, view, at, TAG.bytes, value);
  bytes[at] = TAG.object;
  let next = at + 1;
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    const place = PLACE.get(key);
    if (place === undefined) throw new Error(`no place for ${key}`);
    bytes[next] = place;
    next = writePlain(bytes, view, next + 1, member);
  }
  bytes[next] = END;
  return next + 1;
}

function writeBytes(bytes: Uint8Array, view: DataView, at: number, tag: number, value: Uint8Array): number {
  bytes[at] = tag;
  view.setUint32(at + 1, value.length, true);
  bytes.set(value, at + 5);
  return at + 5 + value.length;
}

/** Reads what {@link writePlain} wrote, from shared memory too. */
export class PlainReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array, view: DataView) {
    this.#bytes = bytes;
    this.#view = view;
  }

  read(at: number): Plain {
    this.#at = at;
    return this.#next();
  }

  #next(): Plain {
    const tag = this.#bytes[this.#at++];
    switch (tag) {
      case TAG.null:
        return null;
      case TAG.number:
        this.#at += 8;
        return this.#view.getFloat64(this.#at - 8, true);
      case TAG.bigint:
        this.#at += 8;
        return this.#view.getBigUint64(this.#at - 8, true);
      case TAG.word:
        return WORDS[this.#bytes[this.#at++] as number] as string;
      case TAG.string:
        return decoder.decode(this.#take());
      case TAG.bytes:
        return this.#take();
      case TAG.object:
        return this.#object();
      default:
        throw new Error(`a value of type ${tag}`);
    }
  }

  #object(): PlainObject {
    const object: Record<string, Plain> = {};
    for (;;) {
      const place = this.#bytes[this.#at++] as number;
      if (place === END) return object;
      const key = KEYS[place];
      if (key === undefined) throw new Error(`a member ${place}`);
      object[key] = this.#next();
    }
  }

  /** A copy: the ring's memory is used again. */
  #take(): Uint8Array {
    const length = this.#view.getUint32(this.#at, true);
    const from = this.#at + 4;
    this.#at = from + length;
    return this.#bytes.slice(from, this.#at);
  }
}
