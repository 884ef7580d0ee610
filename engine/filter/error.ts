/** What is wrong with a filter: where, what stands there, and the words that could. */
export interface FilterError {
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
  /** The text at that column; empty at the end of the filter. */
  readonly found: string;
  readonly message: string;
  /** Words or descriptions (`a number`), in the order in which they are worth showing; may be empty. */
  readonly expected: readonly string[];
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: FilterError };

const SHOWN = 12;
const FOUND_CHARS = 40;

export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function fail(
  column: number,
  found: string,
  message: string,
  expected: readonly string[] = [],
): { readonly ok: false; readonly error: FilterError } {
  return { ok: false, error: { column, found, message, expected } };
}

/** Text that came from outside, on one line: control characters as `\u{…}`, cut where it is long. */
function quoted(text: string): string {
  const cut = text.length > FOUND_CHARS ? `${text.slice(0, FOUND_CHARS)}…` : text;
  const plain = cut.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
  return `'${plain}'`;
}

/** One line: `filter, column 8: unknown field 'foo'; expected seq, t, dur, …` */
export function formatFilterError(error: FilterError): string {
  const found = error.found === '' ? ' at the end' : ` at ${quoted(error.found)}`;
  const more = error.expected.length > SHOWN ? ', …' : '';
  const expected =
    error.expected.length === 0 ? '' : `; expected ${error.expected.slice(0, SHOWN).join(', ')}${more}`;
  return `filter, column ${error.column}: ${error.message}${found}${expected}`;
}

/** All values, or the first error. */
export function collect<T>(results: readonly Result<T>[]): Result<readonly T[]> {
  const values: T[] = [];
  for (const result of results) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return ok(values);
}
