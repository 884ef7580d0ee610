import { fail, ok, type Result } from './error.ts';

/** Longest filter that is read; a permalink may carry one. */
const MAX_FILTER_CHARS = 4096;

/** `at` and `end` are 0-based offsets in the text. */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: 'string'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: 'punctuation'; readonly text: Punctuation; readonly at: number; readonly end: number }
  | { readonly kind: 'end'; readonly text: ''; readonly at: number; readonly end: number };

const PUNCTUATION = [
  '||',
  '&&',
  '==',
  '!=',
  '<=',
  '>=',
  '!',
  '<',
  '>',
  '~',
  '(',
  ')',
  '{',
  '}',
  ',',
] as const;
export type Punctuation = (typeof PUNCTUATION)[number];

/** A word is a field, a number, a time, a position, a handle, a name, a plain pattern or a cell path. */
const WORD = /[A-Za-z0-9_.:*?+^$[\]-]/;
const SPACE = /\s/;
/** What somebody who writes these characters means. */
const MEANT: Readonly<Record<string, readonly string[]>> = { '=': ['=='], '&': ['&&'], '|': ['||'] };

/** True when `text` can stand in a filter without quotes, as one word. */
export function isWord(text: string): boolean {
  return text !== '' && Array.from(text).every((c) => WORD.test(c));
}

/**
 * Cuts a filter into tokens, the last of which is `end`. In a string `\"` is a quote and `\\` a backslash; any
 * other backslash stays, so that patterns need no doubling.
 */
export function tokenise(text: string): Result<readonly Token[]> {
  if (text.length > MAX_FILTER_CHARS) {
    return fail(MAX_FILTER_CHARS + 1, '', `a filter has at most ${MAX_FILTER_CHARS} characters`);
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (SPACE.test(char)) {
      at += 1;
      continue;
    }
    const token = char === '"' ? readString(text, at) : (readPunctuation(text, at) ?? readWord(text, at));
    if (token === undefined) {
      if (char === '"') return fail(at + 1, text.slice(at), 'this string has no end', ['"']);
      return fail(at + 1, char, 'this character has no meaning in a filter', MEANT[char]);
    }
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', at, end: at });
  return ok(tokens);
}

function readWord(text: string, at: number): Token | undefined {
  let end = at;
  while (end < text.length && WORD.test(text.charAt(end))) end += 1;
  return end === at ? undefined : { kind: 'word', text: text.slice(at, end), at, end };
}

function readPunctuation(text: string, at: number): Token | undefined {
  const symbol = PUNCTUATION.find((s) => text.startsWith(s, at));
  return symbol === undefined
    ? undefined
    : { kind: 'punctuation', text: symbol, at, end: at + symbol.length };
}

function readString(text: string, at: number): Token | undefined {
  let value = '';
  for (let i = at + 1; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '"') return { kind: 'string', text: value, at, end: i + 1 };
    const next = text.charAt(i + 1);
    if (char === '\\' && (next === '"' || next === '\\')) i += 1;
    value += text.charAt(i);
  }
  return undefined;
}

/** Writes a string so that {@link tokenise} reads the same text. */
export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
