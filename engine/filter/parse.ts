import { parseAddress } from '../trace/position.ts';
import { parseTime } from '../trace/time.ts';
import { isCellPath } from './cell-path.ts';
import { type FilterError, ok, type Result } from './error.ts';
import { type Token, tokenise } from './token.ts';
import { COMPARE_OPS, type FieldRef, join, type Tree, type Value } from './tree.ts';

/** What could stand at a place; turned into words with the field table (see words.ts). */
export type Want =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'field' | 'path' | 'position' }
  | { readonly kind: 'value'; readonly field: string };

/** A parse that stopped: the error without its expected words, and what those are. */
export interface Stop {
  readonly error: FilterError;
  readonly wants: readonly Want[];
}

/** `wants` of a success is what could stand after the filter. */
export type Parsed =
  | { readonly ok: true; readonly tree: Tree; readonly wants: readonly Want[] }
  | ({ readonly ok: false } & Stop);

/** Depth of parentheses. What walks a tree may recurse: it is never deeper than twice this. */
const MAX_DEPTH = 64;
/** Comparisons in one filter; keeps what it compiles to within SQLite's limits. */
const MAX_TERMS = 256;

const RESERVED = new Set(['and', 'or', 'not', 'in', 'changes', 'under']);
const NUMBER = /^(-?)(0x[0-9a-fA-F]+|[0-9]+)$/;
const TIME = /^[0-9]+(?:\.[0-9]+)?(?:ns|us|ms|s)$/;
const FIELD = /^[a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+|\[(?:[0-9]+|\*)\])*$/;
/** Registers are the widest values: 128 bits. */
const MAX_NUMBER = (1n << 128n) - 1n;
const MAX_NUMBER_CHARS = 40;

/** Reads a filter; never throws. The grammar stands in docs/filter.md. */
export function parse(text: string): Parsed {
  const tokens = tokenise(text);
  if (!tokens.ok) return { ok: false, error: tokens.error, wants: [] };
  return new Parser(tokens.value).filter();
}

/** What ends a parse early; caught in {@link Parser.filter}. */
class StopSignal extends Error {
  readonly stop: Stop;

  constructor(stop: Stop) {
    super(stop.error.message);
    this.stop = stop;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  #terms = 0;
  /** What the parser would have taken at the next token. */
  #wants: Want[] = [];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  filter(): Parsed {
    try {
      const tree = this.#or();
      if (this.#token.kind !== 'end') throw this.#unexpected();
      return { ok: true, tree, wants: this.#wants };
    } catch (error) {
      if (error instanceof StopSignal) return { ok: false, ...error.stop };
      throw error;
    }
  }

  get #token(): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new RangeError('read past the end token');
    return token;
  }

  get #column(): number {
    return this.#token.at + 1;
  }

  #advance(): Token {
    const token = this.#token;
    if (token.kind !== 'end') this.#next += 1;
    this.#wants = [];
    return token;
  }

  #stop(message: string, wants: readonly Want[] = []): StopSignal {
    return new StopSignal({
      error: { column: this.#column, found: this.#token.text, message, expected: [] },
      wants,
    });
  }

  #unexpected(): StopSignal {
    const early = this.#token.kind === 'end';
    return this.#stop(early ? 'the filter stops too early' : 'this does not belong here', this.#wants);
  }

  /** True and past it when the next token is one of `words`; the first of them is the one to offer. */
  #take(...words: readonly string[]): boolean {
    const [offered] = words;
    if (offered !== undefined) this.#wants.push({ kind: 'word', text: offered });
    if (this.#token.kind === 'string' || !words.includes(this.#token.text)) return false;
    this.#advance();
    return true;
  }

  #need(word: string): void {
    if (!this.#take(word)) throw this.#unexpected();
  }

  #or(): Tree {
    const terms = [this.#and()];
    while (this.#take('||', 'or')) terms.push(this.#and());
    return join('or', terms);
  }

  #and(): Tree {
    const terms = [this.#not()];
    while (this.#take('&&', 'and')) terms.push(this.#not());
    return join('and', terms);
  }

  #not(): Tree {
    return this.#take('!', 'not') ? { kind: 'not', term: this.#primary() } : this.#primary();
  }

  #primary(): Tree {
    if (this.#take('(')) {
      this.#depth += 1;
      if (this.#depth > MAX_DEPTH) throw this.#stop(`parentheses go at most ${MAX_DEPTH} deep`);
      const tree = this.#or();
      this.#need(')');
      this.#depth -= 1;
      return tree;
    }
    this.#terms += 1;
    if (this.#terms > MAX_TERMS) throw this.#stop(`a filter has at most ${MAX_TERMS} comparisons`);
    const column = this.#column;
    if (this.#take('changes')) {
      const path = this.#argument('path', (text) => (isCellPath(text) ? text : undefined));
      return { kind: 'changes', path, column };
    }
    if (this.#take('under')) return { kind: 'under', position: this.#argument('position', parseAddress) };
    return this.#comparison();
  }

  /** What stands in the parentheses of `changes(…)` and `under(…)`. */
  #argument<T>(kind: 'path' | 'position', read: (text: string) => T | undefined): T {
    this.#need('(');
    this.#wants.push({ kind });
    const value = this.#token.kind === 'word' ? read(this.#token.text) : undefined;
    if (value === undefined) throw this.#unexpected();
    this.#advance();
    this.#need(')');
    return value;
  }

  #comparison(): Tree {
    const field = this.#field();
    for (const op of COMPARE_OPS) {
      if (this.#take(op)) return { kind: 'compare', field, op, value: this.#value(field) };
    }
    return this.#take('in') ? { kind: 'in', field, values: this.#set(field) } : { kind: 'bare', field };
  }

  #field(): FieldRef {
    this.#wants.push({ kind: 'field' });
    const { kind, text } = this.#token;
    if (kind !== 'word' || RESERVED.has(text) || !FIELD.test(text)) throw this.#unexpected();
    const field = { name: text, column: this.#column };
    this.#advance();
    return field;
  }

  #set(field: FieldRef): Value[] {
    this.#need('{');
    const values = [this.#value(field)];
    while (this.#take(',')) values.push(this.#value(field));
    this.#need('}');
    return values;
  }

  #value(field: FieldRef): Value {
    this.#wants.push({ kind: 'value', field: field.name });
    const token = this.#token;
    if (token.kind === 'end' || token.kind === 'punctuation') throw this.#unexpected();
    if (token.kind === 'word' && RESERVED.has(token.text)) throw this.#unexpected();
    const value = token.kind === 'string' ? ok(stringValue(token)) : readWord(token);
    if (!value.ok) throw new StopSignal({ error: value.error, wants: [] });
    this.#advance();
    return value.value;
  }
}

function stringValue(token: Token): Value {
  return { kind: 'string', text: token.text, column: token.at + 1 };
}

function readWord(token: Token): Result<Value> {
  const { text } = token;
  const column = token.at + 1;
  const bad = (message: string): Result<Value> => ({
    ok: false,
    error: { column, found: text, message, expected: [] },
  });
  const number = NUMBER.exec(text);
  if (number !== null) {
    const [, sign, digits = ''] = number;
    const magnitude = digits.length > MAX_NUMBER_CHARS ? MAX_NUMBER + 1n : BigInt(digits);
    if (magnitude > MAX_NUMBER) return bad('numbers have at most 128 bits');
    const value = sign === '-' ? -magnitude : magnitude;
    return ok({ kind: 'number', value, hex: digits.startsWith('0x'), column });
  }
  if (TIME.test(text)) {
    const ns = parseTime(text);
    return ns === undefined
      ? bad('times are whole nanoseconds below 2^53')
      : ok({ kind: 'time', ns, column });
  }
  return ok({ kind: 'name', text, column });
}
