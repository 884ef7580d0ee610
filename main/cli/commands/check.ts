import { check } from '../../../engine/analysis/check.ts';
import { compareExpected } from '../../../engine/rules/expect.ts';
import {
  atLeast,
  type Finding,
  findingToJson,
  SEVERITIES,
  type Severity,
} from '../../../engine/rules/finding.ts';
import { formatAddress } from '../../../engine/trace/position.ts';
import type { Arguments } from '../command.ts';
import { print, printJson, table } from '../output.ts';
import { EXIT, Problem } from '../problem.ts';
import { progressLine } from '../progress.ts';
import { SIDES } from '../sides.ts';
import { withTrace } from '../trace.ts';

/** `hvrewind check`: exit 1 on a finding of at least `--min-severity`, or where `--expect` is not met. */
export async function run(args: Arguments): Promise<number> {
  const least = severityOf(args.value('min-severity') ?? 'warning');
  const json = args.flag('json');
  const several = args.operands.length > 1;
  let found = false;
  for (const file of args.operands) {
    await withTrace(file, async ({ source }) => {
      const progress = progressLine('check', source.count);
      const { findings } = check(source, SIDES, progress.report);
      progress.done();
      const shown = { ...(several ? { file } : {}), findings: findings.map(findingToJson) };
      if (args.flag('expect')) {
        const expected = source.header.expect?.findings;
        if (expected === undefined) {
          throw new Problem(`check: ${file} says nothing of the findings that it expects`);
        }
        const result = compareExpected(expected, findings);
        found ||= !result.met;
        await (json ? printJson({ ...shown, expected: result.met }) : print(expectation(file, result)));
      } else {
        found ||= findings.some((finding) => atLeast(finding.severity, least));
        await (json ? printJson(shown) : print(`${several ? `${file}\n` : ''}${report(findings)}`));
      }
    });
  }
  return found ? EXIT.found : EXIT.fine;
}

function severityOf(text: string): Severity {
  const severity = SEVERITIES.find((s) => s === text);
  if (severity !== undefined) return severity;
  throw new Problem(`check: --min-severity ${JSON.stringify(text)}: expected ${SEVERITIES.join(', ')}`);
}

function report(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'no findings\n';
  return findings.map(findingText).join('\n');
}

function findingText(finding: Finding): string {
  const { culprit, evidence, cells, cpus, fix } = finding;
  const lines = [
    ['culprit', `${culprit.component} at ${formatAddress(culprit.at)}`],
    ['proof', evidence.map(formatAddress).join(' ')],
    ['cells', cells.join(' ')],
    ...(cpus === undefined ? [] : [['cpus', cpus.join(' ')]]),
    ['fix', fix],
  ];
  return `${finding.rule} ${finding.severity} at ${formatAddress(finding.at)}: ${finding.title}\n${table(lines, '  ')}`;
}

function expectation(file: string, result: ReturnType<typeof compareExpected>): string {
  if (result.met) return `${file}: as expected\n`;
  const lines = [
    ...result.missing.map((f) => `  missing: ${f.rule} ${f.component}`),
    ...result.unexpected.map(
      (f) => `  not expected: ${f.rule} ${f.culprit.component} at ${formatAddress(f.culprit.at)}`,
    ),
  ];
  return `${file}: not as expected\n${lines.join('\n')}\n`;
}
