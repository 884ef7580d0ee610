import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { compareExpected } from '../../engine/rules/expect.ts';
import { findingToJson } from '../../engine/rules/finding.ts';
import { CORPUS, findingsOf, load } from './scenario.testing.ts';

const SCENARIOS = globSync(join(import.meta.dirname, '../../samples/scenarios/*.hvtrace.ndjson')).sort();

function name(file: string): string {
  return basename(file, '.hvtrace.ndjson');
}

for (const file of [...CORPUS, ...SCENARIOS]) {
  test(`${name(file)} gives the findings that it expects`, () => {
    const source = load(file);
    const expected = source.header.expect?.findings;
    assert.ok(expected !== undefined, 'says nothing of its findings');
    const findings = findingsOf(source);
    const result = compareExpected(expected, findings);
    assert.ok(result.met, JSON.stringify(findings.map(findingToJson), undefined, 1));
  });
}

test('mshv tears down what VMBus switched on: SIEFP first, then SIMP and SCONTROL, with VMBus’ writes in the proof', () => {
  for (const trigger of ['rmmod', 'offline', 'kexec']) {
    const file = SCENARIOS.find((path) => name(path) === `teardown-l1vh-${trigger}-before`);
    assert.ok(file !== undefined, `no scenario for ${trigger}`);
    const [finding, ...others] = findingsOf(load(file));
    assert.ok(finding !== undefined && others.length === 0);
    assert.equal(finding.culprit.component, 'mshv');
    assert.equal(finding.severity, 'error');
    const registers = [...new Set(finding.cells.map((cell) => cell.slice(cell.lastIndexOf('.') + 1)))];
    assert.deepEqual(registers, ['siefp', 'simp', 'scontrol']);
    assert.deepEqual(findingsOf(load(file, { synicOwnership: 'merged' })), []);
  }
});
