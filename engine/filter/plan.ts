import type { Address } from '../trace/position.ts';
import type { Pattern } from './pattern.ts';
import type { PayloadRoot, PayloadStep } from './table.ts';

/**
 * A checked filter: names are numbers, and only tests of single values are left, so that the predicate and the
 * SQL of a filter come from the same few forms. Negation stands at the tests alone.
 */
export type Plan =
  | { readonly kind: 'always'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Plan[] }
  | Leaf;

export type Leaf = (
  | { readonly kind: 'field'; readonly field: string; readonly test: Test }
  | {
      readonly kind: 'payload';
      readonly root: PayloadRoot;
      readonly path: readonly PayloadStep[];
      readonly test: Test;
    }
  | { readonly kind: 'changes'; readonly path: string }
  | { readonly kind: 'under'; readonly position: Address }
) & { readonly negated: boolean };

export type OrderOp = '<' | '<=' | '>' | '>=';

/** A question to one value. No test holds for a value that is not there. */
export type Test =
  | { readonly kind: 'present' }
  /** A number that is not 0, text that is not empty. */
  | { readonly kind: 'nonzero' }
  | { readonly kind: 'order'; readonly op: OrderOp; readonly value: bigint }
  | { readonly kind: 'among'; readonly values: readonly bigint[] }
  /** Text that is, or a number that is called, one of these. */
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'match'; readonly pattern: Pattern };

const ALWAYS: Plan = { kind: 'always', value: true };
const NEVER: Plan = { kind: 'always', value: false };

export function fieldTest(field: string, test: Test): Plan {
  return { kind: 'field', field, test, negated: false };
}

/** All of `terms`; constants and nested conjunctions are dissolved. */
export function allOf(terms: readonly Plan[]): Plan {
  return combine('and', terms);
}

/** Any of `terms`. */
export function anyOf(terms: readonly Plan[]): Plan {
  return combine('or', terms);
}

function combine(kind: 'and' | 'or', terms: readonly Plan[]): Plan {
  const neutral = kind === 'and';
  const flat: Plan[] = [];
  for (const term of terms) {
    if (term.kind === 'always') {
      if (term.value !== neutral) return term;
    } else if (term.kind === kind) flat.push(...term.terms);
    else flat.push(term);
  }
  const [first] = flat;
  if (first === undefined) return neutral ? ALWAYS : NEVER;
  return flat.length === 1 ? first : { kind, terms: flat };
}

/** The opposite, by De Morgan's rules. */
export function negate(plan: Plan): Plan {
  switch (plan.kind) {
    case 'always':
      return plan.value ? NEVER : ALWAYS;
    case 'and':
      return anyOf(plan.terms.map(negate));
    case 'or':
      return allOf(plan.terms.map(negate));
    default:
      return { ...plan, negated: !plan.negated };
  }
}
