/** Bugs of the past (samples/bugs), and what each rule was proven on. */
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { RULES } from '../../engine/rules/catalogue.ts';
import { compareExpected } from '../../engine/rules/expect.ts';
import { findingToJson } from '../../engine/rules/finding.ts';
import { CORPUS, judged, linesOf, load } from './scenario.testing.ts';

const BUGS = globSync(join(import.meta.dirname, '../../samples/bugs/*/')).sort();
const ENDING = '.hvtrace.ndjson';

/** Samples whose hypervisor or kernel answers otherwise than the engine with its defaults, and how. */
const ANSWERS_OTHERWISE: Readonly<Record<string, string>> = {
  B05: 'no pool runs short where the sample creates its VP',
  B09: 'the guest posts before its identity is known',
  B10: 'a hypervisor that checks the reserved bits of creation properties',
  B14: 'access states that are given in parts',
  B15: 'no pool runs short where the sample creates its VP',
  B19: 'no pool runs short where the sample creates its VP',
  B21: 'no buffers for a posted message',
  B40: 'a root that is short of memory',
  B44: 'the kernel of the bug takes two routes for one GSI',
};

type Variant = 'buggy' | 'fixed' | 'nearmiss';
const VARIANTS: readonly Variant[] = ['buggy', 'fixed', 'nearmiss'];

function fileOf(bug: string, variant: Variant): string {
  return join(bug, `${variant}${ENDING}`);
}

/** The rules that a scenario says will speak; undefined where it says nothing, or there is none. */
function expected(file: string): readonly string[] | undefined {
  if (!existsSync(file)) return undefined;
  return load(file).header.expect?.findings.map(({ rule }) => rule);
}

for (const bug of BUGS) {
  test(basename(bug), () => {
    assert.match(basename(bug), /^B\d\d-[a-z0-9-]+$/);
    assert.ok(existsSync(join(bug, 'README.md')), 'nobody says what went wrong');
    for (const variant of VARIANTS) {
      const file = fileOf(bug, variant);
      const { header } = load(file);
      assert.ok(header.expect !== undefined, `${variant} says nothing of its findings`);
      assert.equal(header.expect.findings.length > 0, variant === 'buggy', variant);
      const { findings, report } = judged(load(file));
      if (!(basename(bug).slice(0, 3) in ANSWERS_OTHERWISE))
        assert.deepEqual(report.divergences, [], variant);
      const { met } = compareExpected(header.expect.findings, findings);
      assert.ok(met, `${variant}: ${JSON.stringify(findings.map(findingToJson), undefined, 1)}`);
    }
    const differences = distance(linesOf(fileOf(bug, 'buggy')), linesOf(fileOf(bug, 'nearmiss')));
    assert.equal(differences, 1, 'the near miss differs in one event, or in the profile');
  });
}

test('every rule fires, and has a near miss on which it is silent', (t) => {
  const rows = RULES.map(({ id }) => {
    const bugs = BUGS.filter((bug) => expected(fileOf(bug, 'buggy'))?.includes(id));
    const corpus = CORPUS.filter((file) => expected(file)?.includes(id));
    const near = corpus.filter((file) => expected(file.replace(ENDING, `-nearmiss${ENDING}`))?.length === 0);
    return {
      id,
      bugs: bugs.map((bug) => basename(bug).slice(0, 3)),
      corpus: corpus.length,
      near: bugs.length + near.length,
    };
  });
  t.diagnostic('rule  positives  near misses  bugs');
  for (const { id, bugs, corpus, near } of rows) {
    t.diagnostic(
      `${id}   ${String(bugs.length + corpus).padStart(9)}  ${String(near).padStart(11)}  ${bugs.join(' ')}`,
    );
  }
  for (const { id, bugs, corpus, near } of rows) {
    assert.ok(bugs.length + corpus > 0, `${id} never fires`);
    assert.ok(near > 0, `${id} has no near miss`);
  }
});

/**
 * In how many lines two scenarios differ: a line changed, added or missing counts one, and so does a profile. What the headers expect
 * and the times of events do not count.
 */
function distance(a: readonly string[], b: readonly string[]): number {
  const [profileA, profileB] = [a, b].map(([header = '{}']) => JSON.stringify(JSON.parse(header).profile));
  const [eventsA, eventsB] = [a, b].map((lines) => lines.slice(1).map(withoutTime)) as [string[], string[]];
  // Levenshtein's distance, a row at a time.
  let above = Array.from({ length: eventsB.length + 1 }, (_, i) => i);
  for (const [i, line] of eventsA.entries()) {
    const row = [i + 1];
    for (const [j, other] of eventsB.entries()) {
      const swap = (above[j] ?? 0) + Number(line !== other);
      row.push(Math.min(swap, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    above = row;
  }
  return (above.at(-1) ?? 0) + Number(profileA !== profileB);
}

function withoutTime(line: string): string {
  const { t: _, ...rest } = JSON.parse(line);
  return JSON.stringify(rest);
}
