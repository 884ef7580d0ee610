import assert from 'node:assert/strict';
import { isProblem, type TraceProblem } from './index.ts';

/** What there is where there was no problem; fails the test with the problem's line otherwise. */
export function good<T>(value: T | TraceProblem): T {
  if (typeof value === 'object' && value !== null && isProblem(value)) assert.fail(value.text);
  return value as T;
}
