/** The words most like `word`, best first, at most `count`; those that share no likeness are left out. */
export function nearest(word: string, words: readonly string[], count = 6): string[] {
  const wanted = word.slice(0, MAX_WORD).toLowerCase();
  const scored: { readonly word: string; readonly score: number }[] = [];
  for (const candidate of words) {
    const there = candidate.slice(0, MAX_WORD).toLowerCase();
    const held = there.includes(wanted) || (there !== '' && wanted.includes(there));
    const score = held ? Math.abs(there.length - wanted.length) : 2 * distance(wanted, there);
    if (held || distance(wanted, there) * 2 <= wanted.length + 1) scored.push({ word: candidate, score });
  }
  return scored
    .toSorted((a, b) => a.score - b.score)
    .slice(0, count)
    .map((entry) => entry.word);
}

/** Names are shorter; the distance is quadratic. */
const MAX_WORD = 64;

/** Insertions, deletions and replacements that make `b` of `a` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
