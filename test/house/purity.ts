/**
 * What neither the engine's compiler options (no DOM, no Node) nor Biome's list of denied globals (biome.json) can
 * see: calls that give different answers on different machines, or round.
 */
import { codeOnly } from './code-only.ts';
import { type Problem, type ProjectFile, problemsAt } from './files.ts';

const impurities: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    // What is left rounds or is only approximated (ECMA-262, Math), or is random.
    pattern: /\bMath\s*\.\s*(?!(?:floor|ceil|trunc|round|min|max|abs|sign|imul|clz32)\b)\w+/g,
    what: 'only the exact functions of Math may be used',
  },
  {
    pattern: /\*\*/g,
    what: 'Number powers are approximated (ECMA-262); write the constant or shift a bigint',
  },
  { pattern: /(?<![\w.])\d[\d_]*\.\d/g, what: 'no fractions; count in the smaller unit' },
  { pattern: /\.\s*(?:toFixed|toPrecision|toExponential)\s*\(/g, what: 'rounds; format integers' },
  { pattern: /\b[gs]etFloat(?:16|32|64)\b/g, what: 'machine state is integers' },
  { pattern: /\.\s*(?:toLocale\w+|localeCompare)\b/g, what: 'differs with the locale; compare code units' },
  { pattern: /\.\s*(?:sort|toSorted)\s*\(\s*\)/g, what: 'give a comparator; the default compares as text' },
  { pattern: /(?<![#.])\b(?:async|await)\b/g, what: 'the engine never waits; what waits is a cell' },
];

/** True for what ships in the engine; its tests and their helpers may do what they like. */
export function isEngineSource(path: string): boolean {
  return /^engine\/.*\.ts$/.test(path) && !/\.(?:test|testing)\.ts$/.test(path);
}

export function impure({ path, text }: ProjectFile): Problem[] {
  if (!isEngineSource(path)) return [];
  const code = codeOnly(text);
  return impurities.flatMap(({ pattern, what }) => problemsAt(path, code, pattern, what));
}
