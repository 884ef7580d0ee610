import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { check } from '../../engine/analysis/check.ts';
import { createDrivers } from '../../engine/drivers/index.ts';
import { createHypervisor } from '../../engine/hypervisor/index.ts';
import { type EventSource, memorySource } from '../../engine/replay/source.ts';
import { RULES } from '../../engine/rules/catalogue.ts';
import { compareExpected } from '../../engine/rules/expect.ts';
import { findingToJson } from '../../engine/rules/finding.ts';
import type { TraceEvent } from '../../engine/trace/event.ts';
import { parseHeader } from '../../engine/trace/text/header.ts';
import { EventLineReader } from '../../engine/trace/text/reader.ts';

const SIDES = { hypervisor: createHypervisor(), drivers: createDrivers() };
const CORPUS = globSync(join(import.meta.dirname, 'corpus/*.hvtrace.ndjson')).sort();
const SCENARIOS = globSync(join(import.meta.dirname, '../../samples/scenarios/*.hvtrace.ndjson')).sort();

/** A scenario, with `edit` applied to its profile. */
function load(file: string, edit: Record<string, string> = {}): EventSource {
  const [first = '{}', ...lines] = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const given = JSON.parse(first);
  const read = parseHeader(JSON.stringify({ ...given, profile: { ...given.profile, ...edit } }));
  assert.ok('header' in read, `${file}: not a header`);
  const reader = new EventLineReader(read.header.profile);
  const events: TraceEvent[] = lines.map((line) => {
    const next = reader.next(line);
    assert.ok('event' in next, `${file}: not an event: ${line}`);
    return next.event;
  });
  return memorySource(read.header, events);
}

function findingsOf(source: EventSource) {
  return check(source, SIDES).findings;
}

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

test('every rule fires in the corpus, and has a near miss on which it is silent', () => {
  const files = new Map(CORPUS.map((file) => [name(file), load(file).header.expect?.findings ?? []]));
  for (const { id } of RULES) {
    const positives = [...files].filter(([, findings]) => findings.some(({ rule }) => rule === id));
    assert.ok(positives.length > 0, `${id} never fires`);
    const missed = positives.some(([positive]) => files.get(`${positive}-nearmiss`)?.length === 0);
    assert.ok(missed, `${id} has no near miss`);
  }
});

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
