import type { Display } from '../lookup/bit-fields.ts';
import type { FlagSet } from '../lookup/sets.ts';
import { parseUnsigned } from '../text.ts';
import { namesOf } from './integer-text.ts';

/** What was wrong with an integer, without its place. */
export interface IntegerProblem {
  readonly message: string;
  readonly expected: readonly string[];
}

export interface IntegerRange {
  readonly bits: number;
  readonly signed: boolean;
}

/**
 * Reads an integer of the event text: decimal or hex string, JSON number below 2^53, a name where the display has
 * names, a list of names where it is a set of flags. The answer is unsigned (two's complement for negatives).
 */
export function integerFromJson(
  value: unknown,
  display: Display,
  range: IntegerRange,
): bigint | IntegerProblem {
  const names = namesOf(display);
  if (names !== undefined && 'rows' in names && Array.isArray(value)) return flagsFromJson(value, names);
  const number = typeof value === 'string' ? fromText(value, display) : fromNumber(value);
  if (number === undefined) {
    const bad = typeof value === 'string' ? `"${value}"` : describe(value);
    const words = expectedWords(display);
    return {
      message: `${bad} is not ${words.length > 0 ? 'one of its names' : 'an integer'}`,
      expected: words,
    };
  }
  const lowest = range.signed ? -(1n << BigInt(range.bits - 1)) : 0n;
  if (number < lowest || number >= 1n << BigInt(range.bits)) {
    return { message: `${number} does not fit in ${range.bits} bits`, expected: [] };
  }
  return BigInt.asUintN(range.bits, number);
}

function describe(value: unknown): string {
  if (typeof value === 'number')
    return `${value} (a number must be an integer below 2^53; write it as a string)`;
  if (Array.isArray(value)) return 'a list';
  return value === null ? 'null' : typeof value === 'object' ? 'an object' : `${value}`;
}

function fromNumber(value: unknown): bigint | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

function fromText(text: string, display: Display): bigint | undefined {
  const unsigned = parseUnsigned(text);
  if (unsigned !== undefined) return unsigned;
  if (/^-[0-9]+$/.test(text)) return BigInt(text);
  const names = namesOf(display);
  if (names === undefined) return undefined;
  if ('rows' in names) return names.named.get(text)?.mask;
  const row = names.named(text);
  return row === undefined ? undefined : BigInt(row.value);
}

/** The names to suggest: not more than one line holds. */
function expectedWords(display: Display): readonly string[] {
  const names = namesOf(display);
  if (names === undefined) return [];
  const all = 'rows' in names ? names.rows.map((row) => row.name) : names.all().map((row) => row.name);
  return all.length <= 16 ? all : [...all.slice(0, 3), '…'];
}

function flagsFromJson(list: readonly unknown[], set: FlagSet): bigint | IntegerProblem {
  let value = 0n;
  let chosen = 0n;
  for (const item of list) {
    const flag = typeof item === 'string' ? set.named.get(item) : undefined;
    if (flag === undefined) {
      return { message: `"${item}" is not one of the flags`, expected: set.rows.map((row) => row.name) };
    }
    const choice = set.choices.find(({ values }) => values.includes(flag));
    if (choice !== undefined) {
      if ((chosen & choice.mask) !== 0n) {
        return { message: `"${item}" is a second value of the same bits`, expected: [] };
      }
      chosen |= choice.mask;
    }
    value |= flag.mask;
  }
  return value;
}
