import { isObject, type Json, type JsonObject, type JsonPath } from './json.ts';

/**
 * A value of the event text that is not what must stand there. Thrown by the readers of single values and
 * caught where a line is read, which turns it into a problem with line and column.
 */
export class Refusal extends Error {
  /** From the value that the reader was given down to the offending one. */
  readonly path: JsonPath;
  /** The key is at fault, not the value behind it. */
  readonly atKey: boolean;

  constructor(message: string, path: JsonPath = [], atKey = false) {
    super(message);
    this.path = path;
    this.atKey = atKey;
  }

  /** The same refusal as seen from the value around. */
  below(...steps: (string | number)[]): Refusal {
    return new Refusal(this.message, [...steps, ...this.path], this.atKey);
  }
}

/** What a problem message says was found; long values are cut. */
export function describeJson(json: Json): string {
  if (json === null) return 'null';
  if (Array.isArray(json)) return 'a list';
  if (typeof json === 'object') return 'an object';
  const text = JSON.stringify(json);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…"`;
}

export function expected(what: string, found: Json): Refusal {
  return new Refusal(`expected ${what}, found ${describeJson(found)}`);
}

/** The object that must stand there. */
export function objectOf(json: Json): JsonObject {
  if (!isObject(json)) throw expected('an object', json);
  return json;
}

/** Lists words for a message: `a`, `a or b`, `a, b or c`. */
export function orList(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
