import type { Codec } from './codec.ts';
import type { Json, JsonObject } from './json.ts';
import { Refusal } from './refusal.ts';

/** One key of an object of the event text. `fallback` is what stands for a key that is not there. */
export interface Row {
  readonly key: string;
  readonly codec: Codec<unknown>;
  readonly required: boolean;
  readonly fallback?: unknown;
}

type Value<E, K extends keyof E> = Exclude<E[K], undefined>;

/** Builds the rows of objects of type `E`; the compiler holds each codec to the field's type. */
export function rowsOf<E>(): {
  /** A key that may be absent. */
  optional<K extends keyof E & string>(key: K, codec: Codec<Value<E, K>>): Row;
  /** A key without which the object means nothing. */
  required<K extends keyof E & string>(key: K, codec: Codec<Value<E, K>>): Row;
  /** A key that stands for `fallback` when it is absent; always written. */
  defaulted<K extends keyof E & string>(key: K, codec: Codec<Value<E, K>>, fallback: Value<E, K>): Row;
} {
  return {
    optional: (key, codec) => ({ key, codec, required: false }),
    required: (key, codec) => ({ key, codec, required: true }),
    defaulted: (key, codec, fallback) => ({ key, codec, required: false, fallback }),
  };
}

/** The value under a row's key; refusals name the key. */
export function readKey<T>(object: JsonObject, key: string, read: (json: Json) => T): T | undefined {
  const json = object[key];
  if (json === undefined) return undefined;
  try {
    return read(json);
  } catch (error) {
    throw error instanceof Refusal ? error.below(key) : error;
  }
}

/** Reads the keys of `rows` into `target`; returns how many were there. */
export function readRows(rows: readonly Row[], object: JsonObject, target: Record<string, unknown>): number {
  let found = 0;
  let key = '';
  try {
    for (const row of rows) {
      key = row.key;
      const json = object[key];
      if (json !== undefined) {
        target[key] = row.codec.read(json);
        found += 1;
      } else if (row.required) throw missing(key);
      else if (row.fallback !== undefined) target[key] = row.fallback;
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw object[key] === undefined ? error : error.below(key);
  }
  return found;
}

export function missing(key: string): Refusal {
  return new Refusal(`expected the key ${JSON.stringify(key)}`);
}

/** Refuses the first key of `object` that is not in `known`, naming those that are. */
export function refuseUnknownKey(object: JsonObject, known: readonly string[]): void {
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue;
    throw new Refusal(`unknown key ${JSON.stringify(key)}; expected one of ${known.join(' ')}`, [key], true);
  }
}

/** The canonical JSON of the fields that are there: `,"key":value` each. */
export function writeRows(rows: readonly Row[], source: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const row of rows) {
    const value = source[row.key];
    if (value !== undefined) text += `,"${row.key}":${row.codec.write(value)}`;
  }
  return text;
}
