import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../trace/position.ts';
import { compareExpected } from './expect.ts';
import type { Finding } from './finding.ts';

function finding(rule: string, component: string, seq: number): Finding {
  const here = at(seq);
  const culprit = { at: here, component };
  return {
    id: `${rule}:${seq}`,
    rule,
    severity: 'error',
    title: '',
    at: here,
    culprit,
    evidence: [],
    cells: [],
    fix: '',
  };
}

test('silence is met by silence alone', () => {
  assert.equal(compareExpected([], []).met, true);
  const result = compareExpected([], [finding('R01', 'mshv', 3)]);
  assert.equal(result.met, false);
  assert.equal(result.unexpected.length, 1);
});

test('rule, culprit component and position must be the same, one to one', () => {
  const wanted = { rule: 'R01', component: 'mshv' };
  assert.equal(compareExpected([wanted], [finding('R01', 'mshv', 3)]).met, true);
  assert.equal(compareExpected([wanted], [finding('R01', 'vmbus', 3)]).met, false);
  assert.equal(compareExpected([wanted], [finding('R02', 'mshv', 3)]).met, false);
  assert.deepEqual(compareExpected([wanted], []).missing, [wanted]);
  assert.equal(compareExpected([wanted], [finding('R01', 'mshv', 3), finding('R01', 'mshv', 5)]).met, false);
  assert.equal(compareExpected([{ ...wanted, at: at(3) }], [finding('R01', 'mshv', 3)]).met, true);
  assert.equal(compareExpected([{ ...wanted, at: at(4) }], [finding('R01', 'mshv', 3)]).met, false);
});

test('an expectation without a position does not take the finding of one with', () => {
  const wanted = { rule: 'R01', component: 'mshv' };
  const both = [finding('R01', 'mshv', 3), finding('R01', 'mshv', 5)];
  assert.equal(compareExpected([wanted, { ...wanted, at: at(3) }], both).met, true);
});
