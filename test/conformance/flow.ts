import type { JsonObject } from '../../engine/trace/text/json.ts';

/** Words and numbers of the notation; a colon inside one has no space behind it (`partition:2`). */
const WORD = /"[^"]*"|[\w?.*/-]+(?::[\w?.*/-]+)*/g;
const LITERALS = new Set(['true', 'false', 'null']);
/** Fifteen digits are exact as a JSON number. */
const SMALL = /^-?\d{1,15}$/;

/**
 * Reads `key: value, key: {key: value}, key: [a, b]`: the event text's JSON without the quotes and without the
 * outer braces.
 */
export function flow(text: string): JsonObject {
  const quoted = text.replace(WORD, (word) =>
    word.startsWith('"') || LITERALS.has(word) || SMALL.test(word) ? word : JSON.stringify(word),
  );
  return JSON.parse(quoted.startsWith('{') ? quoted : `{${quoted}}`) as JsonObject;
}
