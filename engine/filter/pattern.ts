/**
 * Patterns of `~`: regular expressions without counts, look-around or back-references, matched by following all
 * states at once (Thompson's construction), so that no pattern can take more than states x characters steps.
 * ASCII letters match in either case. A pattern is found anywhere in the text unless `^` or `$` tie it.
 */

export const MAX_PATTERN_CHARS = 256;
const MAX_DEPTH = 32;

/** A state. `next` (and `other`) are indices in the program. */
type State =
  | { readonly kind: 'set'; readonly ranges: readonly Range[]; readonly negated: boolean; next: number }
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'match' };

/** Code units from `low` to `high`, both included. */
interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Pattern {
  readonly source: string;
  /** True when the pattern occurs in `text`. */
  readonly test: (text: string) => boolean;
}

export type PatternResult =
  | { readonly ok: true; readonly pattern: Pattern }
  /** `offset` is 0-based, in the pattern. */
  | { readonly ok: false; readonly offset: number; readonly message: string };

/** Reads a pattern; never throws. */
export function compilePattern(source: string): PatternResult {
  if (source.length > MAX_PATTERN_CHARS) {
    return { ok: false, offset: MAX_PATTERN_CHARS, message: `at most ${MAX_PATTERN_CHARS} characters` };
  }
  const builder = new Builder(source);
  const problem = builder.build();
  if (problem !== undefined) return { ok: false, ...problem };
  const program = builder.program;
  const start = builder.start;
  return { ok: true, pattern: { source, test: (text) => run(program, start, text) } };
}

function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}

function upper(code: number): number {
  return code >= 0x61 && code <= 0x7a ? code - 0x20 : code;
}

function inSet(
  state: { readonly ranges: readonly Range[]; readonly negated: boolean },
  code: number,
): boolean {
  const [a, b] = [lower(code), upper(code)];
  const found = state.ranges.some(({ low, high }) => (a >= low && a <= high) || (b >= low && b <= high));
  return found !== state.negated;
}

/** Steps all live states over `text`; `seen` marks by step, so that each state is entered once a character. */
function run(program: readonly State[], start: number, text: string): boolean {
  const seen = new Int32Array(program.length).fill(-1);
  let live: number[] = [];
  let stepped: number[] = [];
  const pending: number[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    pending.push(start, ...stepped);
    live = [];
    while (pending.length > 0) {
      const index = pending.pop() ?? 0;
      if (seen[index] === at) continue;
      seen[index] = at;
      const state = program[index];
      if (state === undefined || state.kind === 'match') return true;
      if (state.kind === 'set') live.push(index);
      else if (state.kind === 'split') pending.push(state.next, state.other);
      else if (state.kind === 'start' ? at === 0 : at === text.length) pending.push(state.next);
    }
    if (at === text.length) return false;
    const code = text.charCodeAt(at);
    stepped = [];
    for (const index of live) {
      const state = program[index];
      if (state?.kind === 'set' && inSet(state, code)) stepped.push(state.next);
    }
  }
  return false;
}

interface Problem {
  readonly offset: number;
  readonly message: string;
}

/** Builds from the end of the pattern's parts: each takes the state that follows and gives the one to enter. */
type Part = (next: number) => number;

/** Reads by recursive descent, then lays down the states. */
class Builder {
  readonly program: State[] = [{ kind: 'match' }];
  start = 0;
  readonly #source: string;
  #at = 0;
  #depth = 0;
  #problem: Problem | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  build(): Problem | undefined {
    const whole = this.#alternatives();
    if (this.#at < this.#source.length) this.#fail(`')' without '('`);
    if (this.#problem === undefined) this.start = whole(0);
    return this.#problem;
  }

  get #char(): string {
    return this.#source.charAt(this.#at);
  }

  #fail(message: string): void {
    this.#problem ??= { offset: this.#at, message };
    this.#at = this.#source.length;
  }

  #add(state: State): number {
    return this.program.push(state) - 1;
  }

  #alternatives(): Part {
    let part = this.#sequence();
    while (this.#char === '|') {
      this.#at += 1;
      const [left, right] = [part, this.#sequence()];
      part = (next) => this.#add({ kind: 'split', next: left(next), other: right(next) });
    }
    return part;
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#source.length && this.#char !== '|' && this.#char !== ')') {
      parts.push(this.#repeated());
    }
    return (next) => parts.reduceRight((after, part) => part(after), next);
  }

  #repeated(): Part {
    const part = this.#single();
    const sign = this.#char;
    if (sign !== '*' && sign !== '+' && sign !== '?') return part;
    this.#at += 1;
    if (sign === '?') return (next) => this.#add({ kind: 'split', next: part(next), other: next });
    return (next) => {
      const loop: State = { kind: 'split', next, other: next };
      const index = this.#add(loop);
      loop.next = part(index);
      return sign === '*' ? index : loop.next;
    };
  }

  #single(): Part {
    const char = this.#char;
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#set();
      case '.':
        this.#at += 1;
        return this.#oneOf([], true);
      case '^':
      case '$': {
        this.#at += 1;
        const kind = char === '^' ? 'start' : 'end';
        return (next) => this.#add({ kind, next });
      }
      case '*':
      case '+':
      case '?':
        this.#fail(`nothing to repeat before '${char}'`);
        break;
      case '{':
      case '}':
        this.#fail(`counts are not part of these patterns; write '\\${char}' for the character`);
        break;
    }
    const code = this.#literal();
    return this.#oneOf([{ low: code, high: code }], false);
  }

  #group(): Part {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#fail(`groups go at most ${MAX_DEPTH} deep`);
    this.#at += 1;
    const part = this.#alternatives();
    if (this.#char !== ')') this.#fail(`'(' without ')'`);
    this.#at += 1;
    this.#depth -= 1;
    return part;
  }

  #oneOf(ranges: readonly Range[], negated: boolean): Part {
    return (next) => this.#add({ kind: 'set', ranges, negated, next });
  }

  /** The next character, or what a backslash makes of it. */
  #literal(): number {
    if (this.#char === '\\') {
      this.#at += 1;
      if (!/[^A-Za-z0-9]/.test(this.#source.charAt(this.#at))) {
        this.#fail('a backslash stands before a punctuation character only');
      }
    }
    const code = this.#char === '' ? 0 : this.#char.charCodeAt(0);
    this.#at += 1;
    return code;
  }

  #set(): Part {
    this.#at += 1;
    const negated = this.#char === '^';
    if (negated) this.#at += 1;
    const ranges: Range[] = [];
    while (this.#at < this.#source.length && this.#char !== ']') {
      const low = this.#literal();
      const isRange = this.#char === '-' && !/^-(?:\]|$)/.test(this.#source.slice(this.#at, this.#at + 2));
      if (isRange) this.#at += 1;
      const high = isRange ? this.#literal() : low;
      if (high < low) this.#fail('this range runs backwards');
      ranges.push({ low, high });
    }
    if (ranges.length === 0) this.#fail(`a set in '[ ]' holds at least one character`);
    if (this.#char !== ']') this.#fail(`'[' without ']'`);
    this.#at += 1;
    return this.#oneOf(ranges, negated);
  }
}
