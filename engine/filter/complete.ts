import { parse, type Want } from './parse.ts';
import { type FieldTable, fieldNamed, offeredFields, PAYLOAD_ROOTS, payloadField } from './table.ts';
import { isWord, quote, tokenise } from './token.ts';

/** Words that may replace `text.slice(from, to)`; offsets are 0-based. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly words: readonly string[];
}

const MAX_WORDS = 50;

/** What can stand at the cursor of a filter that is being written; never throws. */
export function complete(text: string, cursor: number, table: FieldTable): Completion {
  const at = Math.min(Math.max(Math.trunc(cursor), 0), text.length);
  const from = wordStart(text, at);
  const to = wordEnd(text, at);
  if (inString(text, from)) return { from: at, to: at, words: [] };
  const before = parse(text.slice(0, from));
  if (!before.ok && before.error.column <= from) {
    return { from, to, words: [] };
  }
  const typed = text.slice(from, at);
  const candidates = before.wants.flatMap((want) => candidatesOf(want, typed, table));
  const words = Array.from(new Set(candidates));
  const wanted = typed.toLowerCase();
  const starting = words.filter((word) => word.toLowerCase().startsWith(wanted));
  const holding = words.filter((word) => word.toLowerCase().indexOf(wanted) > 0);
  return { from, to, words: [...starting, ...holding].slice(0, MAX_WORDS) };
}

function wordStart(text: string, at: number): number {
  let from = at;
  while (from > 0 && isWord(text.charAt(from - 1))) from -= 1;
  return from;
}

function wordEnd(text: string, at: number): number {
  let to = at;
  while (to < text.length && isWord(text.charAt(to))) to += 1;
  return to;
}

/** True when the text up to `at` ends inside a string. */
function inString(text: string, at: number): boolean {
  const tokens = tokenise(text.slice(0, at));
  return !tokens.ok && tokens.error.expected.includes('"');
}

function candidatesOf(want: Want, typed: string, table: FieldTable): readonly string[] {
  switch (want.kind) {
    case 'word':
      return [want.text];
    case 'field':
      return fieldCandidates(typed, table);
    case 'path':
      return table.paths;
    case 'position':
      return [];
    case 'value':
      return valueCandidates(want.field, table).map((word) => (isWord(word) ? word : quote(word)));
  }
}

/** Fields; members too, once a root stands there: there are too many to offer before. */
function fieldCandidates(typed: string, table: FieldTable): readonly string[] {
  const root = PAYLOAD_ROOTS.find((name) => typed.startsWith(`${name}.`));
  if (root === undefined) return [...offeredFields(table), ...PAYLOAD_ROOTS.map((name) => `${name}.`)];
  const stem = typed.slice(0, typed.lastIndexOf('.') + 1);
  return (table.payload?.members(root) ?? []).map((member) => `${stem}${member}`);
}

function valueCandidates(field: string, table: FieldTable): readonly string[] {
  const spec = fieldNamed(table, field);
  if (spec !== undefined) {
    if (spec.type === 'text') return spec.text.offered;
    return spec.type === 'name' || spec.type === 'number' ? (spec.names?.offered ?? []) : [];
  }
  const payload = payloadField(field);
  return payload === undefined ? [] : (table.payload?.values(payload.root, payload.path) ?? []);
}
