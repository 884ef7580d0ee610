/** `check` for CI systems: SARIF, JUnit's XML, and findings that are known already. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { RULES } from '../../engine/rules/catalogue.ts';
import { scratch } from '../../tracer/store/scratch.testing.ts';
import { exits, json, sample } from './hvrewind.testing.ts';
import { atPrompt } from './prompt.testing.ts';

const folder = scratch();
const at = (name: string): string => join(folder, name);
const BUG = join(import.meta.dirname, '../../samples/bugs/B49-crash-message-length/buggy.hvtrace.ndjson');

before(async () => {
  mkdirSync(at('fleet'));
  await exits(0, ['run', sample('teardown-l1vh-kexec-before'), '-o', at('fleet/a & b.hvtrace')]);
  copyFileSync(BUG, at('fleet/warned.hvtrace.ndjson'));
  copyFileSync(sample('teardown-l1vh-kexec-after'), at('fleet/fine.hvtrace.ndjson'));
});

interface Finding {
  readonly id: string;
  readonly rule: string;
  readonly at: string;
  readonly severity: string;
  readonly evidence: readonly string[];
}

async function findings(file: string): Promise<readonly Finding[]> {
  return (await json<{ findings: readonly Finding[] }>(1, ['check', at(file)])).findings;
}

interface Place {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string };
    readonly region?: { readonly startLine: number };
  };
  readonly logicalLocations?: readonly { readonly name: string }[];
}

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly SarifRule[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly Place[];
      readonly relatedLocations: readonly Place[];
      readonly partialFingerprints: Readonly<Record<string, string>>;
      readonly baselineState?: string;
    }[];
    readonly invocations: readonly {
      readonly executionSuccessful: boolean;
      readonly toolExecutionNotifications: readonly { readonly message: { readonly text: string } }[];
    }[];
  }[];
}

interface SarifRule {
  readonly id: string;
  readonly help: { readonly text: string };
  readonly defaultConfiguration: { readonly level: string };
}

describe('SARIF', () => {
  test('each finding is a result, with its rule, its place and its proof', async () => {
    const { version, runs } = JSON.parse(
      await exits(1, ['check', 'fleet', '--format', 'sarif'], folder),
    ) as Sarif;
    assert.equal(version, '2.1.0');
    const [run] = runs;
    assert.ok(run !== undefined && runs.length === 1);
    const { rules } = run.tool.driver;
    assert.deepEqual(
      rules.map(({ id }) => id),
      RULES.map(({ id }) => id),
    );
    for (const [i, rule] of RULES.entries()) assert.ok(rules[i]?.help.text.includes(rule.source), rule.id);

    const [[recorded], [written]] = [
      await findings('fleet/a & b.hvtrace'),
      await findings('fleet/warned.hvtrace.ndjson'),
    ];
    assert.ok(recorded !== undefined && written !== undefined);
    const seen = run.results.map(
      ({ ruleId, level, locations: [where], partialFingerprints, relatedLocations }) => ({
        ruleId,
        level,
        uri: where?.physicalLocation.artifactLocation.uri,
        line: where?.physicalLocation.region?.startLine,
        at: where?.logicalLocations?.[0]?.name,
        prints: Object.values(partialFingerprints),
        proof: relatedLocations.map((related) => related.logicalLocations?.[0]?.name),
      }),
    );
    const expected = (finding: Finding, level: string, uri: string, line: number | undefined): unknown => ({
      ruleId: finding.rule,
      level,
      uri,
      line,
      at: finding.at,
      prints: [finding.id],
      proof: finding.evidence,
    });
    assert.deepEqual(seen, [
      expected(recorded, 'error', 'fleet/a%20%26%20b.hvtrace', undefined),
      expected(written, 'warning', 'fleet/warned.hvtrace.ndjson', Number(written.at) + 1),
    ]);
    for (const { ruleId, ruleIndex, message } of run.results) {
      assert.equal(rules[ruleIndex]?.id, ruleId);
      assert.match(message.text, / Culprit: \w+ at event \d+\. Fix: /);
    }
    assert.deepEqual(run.invocations, [{ executionSuccessful: true, toolExecutionNotifications: [] }]);
  });

  test('what could not be judged makes the run a failure; no finding is no result', async () => {
    const words = ['check', 'fleet/fine.hvtrace.ndjson', 'none.hvtrace', '--format', 'sarif'];
    const { exit, out } = await atPrompt(words, folder);
    assert.equal(exit, 2);
    const [run] = (JSON.parse(out) as Sarif).runs;
    assert.deepEqual(run?.results, []);
    const [invocation] = run.invocations;
    assert.equal(invocation?.executionSuccessful, false);
    assert.match(invocation.toolExecutionNotifications[0]?.message.text ?? '', /none\.hvtrace: no such file/);
  });
});

describe('JUnit', () => {
  test('a file is a suite, a rule a case; what --min-severity lets pass is output', async () => {
    for (const [least, failing] of [
      ['warning', 2],
      ['error', 1],
    ] as const) {
      const words = ['check', 'fleet', '--format', 'junit', '--min-severity', least];
      const out = await exits(1, words, folder);
      const suites = Array.from(out.matchAll(/<testsuite name="([^"]*)" tests="(\d+)" failures="(\d+)"/g));
      assert.deepEqual(
        suites.map(([, name, tests]) => [name, Number(tests)]),
        ['a &amp; b.hvtrace', 'fine.hvtrace.ndjson', 'warned.hvtrace.ndjson'].map((name) => [
          `fleet/${name}`,
          RULES.length,
        ]),
      );
      assert.equal(out.match(/<testcase /g)?.length, 3 * RULES.length);
      assert.equal(out.match(/<failure type="/g)?.length, failing);
      assert.equal(out.match(/<system-out>warning at /g)?.length ?? 0, 2 - failing);
      assert.match(out, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="hvrewind check">\n/);
      assert.ok(out.endsWith('</testsuites>\n'));
      assertBalanced(out);
    }
  });

  test('names that XML cannot hold are shown all the same, and what is broken is an error', async () => {
    const odd = at('fleet/\u0001<"&>.hvtrace');
    writeFileSync(odd, 'nothing');
    const { exit, out } = await atPrompt(
      ['check', odd, 'fleet/fine.hvtrace.ndjson', '--format', 'junit'],
      folder,
    );
    assert.equal(exit, 2);
    assert.ok(out.includes('\ufffd&lt;&quot;&amp;&gt;.hvtrace'));
    assert.equal(out.match(/<error type="unreadable" /g)?.length, 1);
    assertBalanced(out);
    renameSync(odd, at('odd'));
  });
});

/** Tags close in the order in which they were opened, and nothing that is markup stands in text. */
function assertBalanced(xml: string): void {
  const open: string[] = [];
  const body = xml.replace(/^<\?[^>]*\?>/, '');
  const left = body.replaceAll(
    /<(\/?)([a-z-]+)(?: [a-z]+="[^"<>]*")*>/g,
    (_, close: string, name: string) => {
      if (close === '') open.push(name);
      else assert.equal(open.pop(), name);
      return '';
    },
  );
  assert.deepEqual(open, []);
  assert.doesNotMatch(left, /[<>]|&(?!(?:amp|lt|gt|quot);)|\p{Cc}(?<![\n\r\t])/u);
}

describe('a baseline', () => {
  const known = at('known.json');

  test('is written by file and id, and what it has is not reported', async () => {
    assert.equal(
      await exits(0, ['check', 'fleet', '--baseline', 'known.json', '--write-baseline'], folder),
      '',
    );
    const [[recorded], [written]] = [
      await findings('fleet/a & b.hvtrace'),
      await findings('fleet/warned.hvtrace.ndjson'),
    ];
    assert.deepEqual(JSON.parse(readFileSync(known, 'utf8')), {
      'hvrewind-baseline': 1,
      findings: [
        { file: 'fleet/a & b.hvtrace', id: recorded?.id },
        { file: 'fleet/warned.hvtrace.ndjson', id: written?.id },
      ],
    });
    // From another folder and by other names of the same files.
    const { exit, out, err } = await atPrompt(['check', folder, '--baseline', known], at('fleet'));
    assert.equal(exit, 0);
    assert.match(out, /\n3 files, 128 events, 0 findings in 0 files\n$/);
    assert.equal(err, 'hvrewind: check: 2 findings are in the baseline, 0 of it are gone\n');
  });

  test('what is new is reported, what is gone is counted', async () => {
    mkdirSync(at('later/fleet'), { recursive: true });
    copyFileSync(known, at('later/known.json'));
    copyFileSync(sample('teardown-l1vh-kexec-after'), at('later/fleet/warned.hvtrace.ndjson'));
    copyFileSync(BUG, at('later/fleet/new.hvtrace.ndjson'));
    const words = ['check', 'later/fleet', '--baseline', 'later/known.json'];
    const { exit, out, err } = await atPrompt([...words, '--format', 'sarif'], folder);
    assert.equal(exit, 1);
    const results = (JSON.parse(out) as Sarif).runs[0]?.results ?? [];
    assert.deepEqual(
      results.map(({ locations: [where], baselineState }) => [
        where?.physicalLocation.artifactLocation.uri,
        baselineState,
      ]),
      [['later/fleet/new.hvtrace.ndjson', 'new']],
    );
    assert.equal(err, 'hvrewind: check: 0 findings are in the baseline, 1 of it are gone\n');
  });

  test('is not written when a file could not be judged', async () => {
    const words = ['check', 'fleet', 'none.hvtrace', '--baseline', 'half.json', '--write-baseline'];
    assert.equal((await atPrompt(words, folder)).exit, 2);
    assert.ok(!existsSync(at('half.json')) && !existsSync(at('half.json.new')));
  });
});
