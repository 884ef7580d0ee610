import { check } from './check.ts';
import { type FilterError, ok, type Result } from './error.ts';
import { parse } from './parse.ts';
import type { Plan } from './plan.ts';
import { print } from './print.ts';
import type { FieldTable } from './table.ts';
import type { Tree } from './tree.ts';
import { wantedWords } from './words.ts';

/** A filter that is right: what was written, and what it means. */
export interface Filter {
  readonly tree: Tree;
  /** The canonical text. */
  readonly text: string;
  readonly plan: Plan;
}

/**
 * Reads and checks a filter; never throws. Compile its plan with `compilePredicate` or `toSql`.
 * Grammar and meaning: docs/filter.md.
 */
export function readFilter(text: string, table: FieldTable): Result<Filter> {
  const parsed = parse(text);
  if (!parsed.ok) {
    const error: FilterError = {
      ...parsed.error,
      expected: [...parsed.error.expected, ...wantedWords(parsed.wants, table)],
    };
    return { ok: false, error };
  }
  const { tree } = parsed;
  const plan = check(tree, table);
  return plan.ok ? ok({ tree, text: print(tree), plan: plan.value }) : plan;
}
