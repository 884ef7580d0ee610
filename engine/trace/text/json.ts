/** A JSON value of the event text. Its numbers are whole and exact. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for an object; a list and null are none. */
export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

/** Where a value stands inside a line: keys and array indexes from the line's object down. */
export type JsonPath = readonly (string | number)[];

/** What is wrong with a line, and where: `column` counts UTF-16 units from 1. */
export interface JsonProblem {
  readonly column: number;
  readonly message: string;
}

/** Deep enough for every nested structure of the ABI (eight levels), shallow enough for any stack. */
const MAX_DEPTH = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class SyntaxProblem extends Error {
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

/**
 * Reads one JSON text (RFC 8259). Own code, because JSON.parse tells no columns, keeps the last of two equal
 * keys in silence and rounds numbers above 2^53.
 */
class Scanner {
  readonly text: string;
  at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(message: string, at = this.at): never {
    throw new SyntaxProblem(at, message);
  }

  skipSpace(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x09 && c !== 0x0d) return;
      this.at += 1;
    }
  }

  private found(): string {
    return this.at >= this.text.length ? 'the end of the line' : JSON.stringify(this.text.charAt(this.at));
  }

  value(): Json {
    this.skipSpace();
    const c = this.text.charCodeAt(this.at);
    if (c === QUOTE) return this.string();
    if (c === OPEN_BRACE) return this.object();
    if (c === MINUS || (c >= ZERO && c <= NINE)) return this.number();
    if (c === OPEN_BRACKET) return this.array();
    if (this.text.startsWith('true', this.at)) return this.word('true', true);
    if (this.text.startsWith('false', this.at)) return this.word('false', false);
    if (this.text.startsWith('null', this.at)) return this.word('null', null);
    return this.fail(`expected a JSON value, found ${this.found()}`);
  }

  private word<T extends Json>(text: string, value: T): T {
    this.at += text.length;
    return value;
  }

  private number(): number {
    const start = this.at;
    const negative = this.text.charCodeAt(start) === MINUS;
    if (negative) this.at += 1;
    const first = this.at;
    let value = 0;
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (!(c >= ZERO && c <= NINE)) break;
      value = value * 10 + (c - ZERO);
      this.at += 1;
    }
    const next = this.text.charAt(this.at);
    if (this.at === first) this.fail(`expected a digit, found ${this.found()}`);
    if (this.text.charCodeAt(first) === ZERO && this.at - first > 1)
      this.fail('a number has no leading 0', first);
    if (next === '.' || next === 'e' || next === 'E') this.fail('expected a whole number', start);
    if (!Number.isSafeInteger(value)) this.fail('a number from 2^53 on must be written as a string', start);
    return negative && value !== 0 ? -value : value;
  }

  string(): string {
    const start = this.at;
    if (this.text.charCodeAt(start) !== QUOTE) this.fail(`expected a string, found ${this.found()}`);
    for (let i = start + 1; ; i += 1) {
      const c = this.text.charCodeAt(i);
      if (c === QUOTE) {
        this.at = i + 1;
        return this.text.slice(start + 1, i);
      }
      if (c === BACKSLASH) return this.escapedString(start, i);
      if (c < 0x20) this.fail('a control character in a string must be escaped', i);
      if (Number.isNaN(c)) this.fail('the string has no end', start);
    }
  }

  private escapedString(start: number, firstEscape: number): string {
    const parts = [this.text.slice(start + 1, firstEscape)];
    let i = firstEscape;
    for (;;) {
      const c = this.text.charCodeAt(i);
      if (c === QUOTE) break;
      if (c === BACKSLASH) {
        const name = this.text.charAt(i + 1);
        const plain = ESCAPES[name];
        const hex = this.text.slice(i + 2, i + 6);
        if (plain !== undefined) {
          parts.push(plain);
          i += 2;
        } else if (name === 'u' && /^[0-9a-fA-F]{4}$/.test(hex)) {
          parts.push(String.fromCharCode(Number.parseInt(hex, 16)));
          i += 6;
        } else this.fail('expected one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX', i);
        continue;
      }
      if (c < 0x20) this.fail('a control character in a string must be escaped', i);
      if (Number.isNaN(c)) this.fail('the string has no end', start);
      let end = i + 1;
      while (end < this.text.length && !this.endsRun(this.text.charCodeAt(end))) end += 1;
      parts.push(this.text.slice(i, end));
      i = end;
    }
    this.at = i + 1;
    return parts.join('');
  }

  private endsRun(c: number): boolean {
    return c === QUOTE || c === BACKSLASH || c < 0x20;
  }

  private enter(): void {
    this.depth += 1;
    if (this.depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`);
    this.at += 1;
    this.skipSpace();
  }

  /** True when the list goes on after an element; consumes the comma or the closing sign. */
  private goesOn(close: number, closeText: string): boolean {
    this.skipSpace();
    const c = this.text.charCodeAt(this.at);
    if (c !== COMMA && c !== close) this.fail(`expected "," or ${closeText}, found ${this.found()}`);
    this.at += 1;
    if (c === COMMA) {
      this.skipSpace();
      return true;
    }
    this.depth -= 1;
    return false;
  }

  private array(): Json[] {
    this.enter();
    const items: Json[] = [];
    if (this.text.charCodeAt(this.at) === CLOSE_BRACKET) {
      this.at += 1;
      this.depth -= 1;
      return items;
    }
    do items.push(this.value());
    while (this.goesOn(CLOSE_BRACKET, '"]"'));
    return items;
  }

  private object(): JsonObject {
    this.enter();
    const object: Record<string, Json> = {};
    if (this.text.charCodeAt(this.at) === CLOSE_BRACE) {
      this.at += 1;
      this.depth -= 1;
      return object;
    }
    do {
      const at = this.at;
      const key = this.key();
      // Assigning __proto__ would change the object's class instead of adding a key; nothing here is named so.
      if (key === '__proto__') this.fail('unknown key "__proto__"', at);
      if (Object.hasOwn(object, key)) this.fail(`the key ${JSON.stringify(key)} stands here twice`, at);
      object[key] = this.value();
    } while (this.goesOn(CLOSE_BRACE, '"}"'));
    return object;
  }

  private key(): string {
    if (this.text.charCodeAt(this.at) !== QUOTE) this.fail(`expected a key in quotes, found ${this.found()}`);
    const key = this.string();
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== COLON) this.fail(`expected ":", found ${this.found()}`);
    this.at += 1;
    return key;
  }

  /** From the start of a value: the offset of the key or array element `step` in it, positioned at its value. */
  enterStep(step: string | number): number | undefined {
    this.skipSpace();
    const [open, close] =
      typeof step === 'number' ? [OPEN_BRACKET, CLOSE_BRACKET] : [OPEN_BRACE, CLOSE_BRACE];
    if (this.text.charCodeAt(this.at) !== open) return undefined;
    this.enter();
    for (let index = 0; this.text.charCodeAt(this.at) !== close; index += 1) {
      const at = this.at;
      const name = typeof step === 'number' ? index : this.key();
      if (name === step) return at;
      this.value();
      if (!this.goesOn(close, 'the end')) return undefined;
    }
    return undefined;
  }
}

/** Reads one line of JSON. Total: any text gives a value or a problem. */
export function parseJson(text: string): { readonly value: Json } | { readonly problem: JsonProblem } {
  const scanner = new Scanner(text);
  try {
    const value = scanner.value();
    scanner.skipSpace();
    if (scanner.at < text.length) scanner.fail('expected nothing after the value');
    return { value };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { problem: { column: error.at + 1, message: error.message } };
  }
}

/**
 * The column (from 1) of the value at `path` of a line that {@link parseJson} read, or with `key` of the key
 * itself. A path that leads nowhere gives the column of the last value on the way.
 */
export function columnOf(text: string, path: JsonPath, key = false): number {
  const scanner = new Scanner(text);
  scanner.skipSpace();
  let column = scanner.at + 1;
  for (const [index, step] of path.entries()) {
    const at = scanner.enterStep(step);
    if (at === undefined) return column;
    scanner.skipSpace();
    column = (key && index === path.length - 1 ? at : scanner.at) + 1;
  }
  return column;
}
