import type { Test } from './plan.ts';

/** A number that may have names: of an enumeration's value, or of the flags that are set. */
export interface NamedNumber {
  readonly value: bigint;
  /** The canonical ones. */
  readonly names: readonly string[];
  /** Whether `name` is one of them, in any form that is accepted. */
  called(name: string): boolean;
}

/**
 * What an event has in a field; undefined where it has no such field. Numbers are the true values (an unsigned
 * one is not negative), whether `number` or `bigint`. A list passes a test when an element does.
 */
export type FieldValue = number | bigint | string | NamedNumber | readonly FieldValue[];

function isList(value: FieldValue): value is readonly FieldValue[] {
  return Array.isArray(value);
}

/** Lifts a test of single values to lists. */
function each(
  passes: (value: number | bigint | string | NamedNumber) => boolean,
): (value: FieldValue | undefined) => boolean {
  const test = (value: FieldValue | undefined): boolean => {
    if (value === undefined) return false;
    return isList(value) ? value.some(test) : passes(value);
  };
  return test;
}

/** The test as a function of a value; false for a value that is not there. */
export function compileTest(test: Test): (value: FieldValue | undefined) => boolean {
  switch (test.kind) {
    case 'present':
      return (value) => value !== undefined;
    case 'nonzero':
      return each((value) => {
        if (typeof value === 'string') return value !== '';
        return typeof value === 'object' ? value.value !== 0n : value !== 0 && value !== 0n;
      });
    case 'order':
      return onNumber(compileOrder(test.op, test.value));
    case 'among': {
      const big = new Set(test.values);
      const small = new Set(test.values.filter(isSafe).map(Number));
      return onNumber((value) => (typeof value === 'number' ? small.has(value) : big.has(value)));
    }
    case 'words': {
      const words = Array.from(new Set(test.words));
      return each((value) => {
        if (typeof value === 'string') return words.includes(value);
        return typeof value === 'object' && words.some((word) => value.called(word));
      });
    }
    case 'match': {
      const { pattern } = test;
      return each((value) => {
        if (typeof value === 'string') return pattern.test(value);
        return typeof value === 'object' && value.names.some(pattern.test);
      });
    }
  }
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

function onNumber(passes: (value: number | bigint) => boolean): (value: FieldValue | undefined) => boolean {
  return each((value) => {
    if (typeof value === 'string') return false;
    return passes(typeof value === 'object' ? value.value : value);
  });
}

/** JavaScript compares a number with a bigint by their exact values. */
function compileOrder(op: '<' | '<=' | '>' | '>=', than: bigint): (value: number | bigint) => boolean {
  const bound = isSafe(than) ? Number(than) : than;
  switch (op) {
    case '<':
      return (value) => value < bound;
    case '<=':
      return (value) => value <= bound;
    case '>':
      return (value) => value > bound;
    case '>=':
      return (value) => value >= bound;
  }
}
