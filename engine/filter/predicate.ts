import type { Address } from '../trace/position.ts';
import type { Leaf, Plan } from './plan.ts';
import type { PayloadRoot, PayloadStep } from './table.ts';
import { compileTest, type FieldValue } from './value.ts';

/**
 * How a filter reads events of type `E`. Each member is asked once, when the filter is compiled, for a reader
 * that is then run on event after event, and only when the rest of the filter leaves the answer open.
 */
export interface Access<E> {
  /** Reads a declared field, hidden ones too. */
  field(name: string): (event: E) => FieldValue | undefined;
  /** Reads a member of a decoded payload; a list where `path` leads to several values. */
  payload(root: PayloadRoot, path: readonly PayloadStep[]): (event: E) => FieldValue | undefined;
  /** Whether the event wrote a new value to a cell that `path` names. */
  changes(path: string): (event: E) => boolean;
  /** Whether the event was caused by the one at `position`, directly or not. */
  under(position: Address): (event: E) => boolean;
}

export type Predicate<E> = (event: E) => boolean;

/** Decoding and state cost far more than a comparison: they come last where the order is free. */
const COST = { always: 0, field: 0, and: 1, or: 1, under: 2, payload: 3, changes: 4 } as const;

/** Compiles a plan to a function over events. */
export function compilePredicate<E>(plan: Plan, access: Access<E>): Predicate<E> {
  switch (plan.kind) {
    case 'always':
      return plan.value ? () => true : () => false;
    case 'and': {
      const terms = inOrder(plan.terms, access);
      return (event) => terms.every((term) => term(event));
    }
    case 'or': {
      const terms = inOrder(plan.terms, access);
      return (event) => terms.some((term) => term(event));
    }
    default: {
      const holds = compileLeaf(plan, access);
      return plan.negated ? (event) => !holds(event) : holds;
    }
  }
}

function inOrder<E>(terms: readonly Plan[], access: Access<E>): Predicate<E>[] {
  return terms.toSorted((a, b) => COST[a.kind] - COST[b.kind]).map((term) => compilePredicate(term, access));
}

function compileLeaf<E>(leaf: Leaf, access: Access<E>): Predicate<E> {
  switch (leaf.kind) {
    case 'field':
    case 'payload': {
      const read = leaf.kind === 'field' ? access.field(leaf.field) : access.payload(leaf.root, leaf.path);
      const test = compileTest(leaf.test);
      return (event) => test(read(event));
    }
    case 'changes':
      return access.changes(leaf.path);
    case 'under':
      return access.under(leaf.position);
  }
}
