import type { FindingJson } from '../../../engine/rules/finding.ts';
import { type Expectation, isUnjudged } from '../../batch/judged.ts';
import { table } from '../output.ts';
import type { Report, ReportOptions, ShownTrace } from './report.ts';
import { Totals } from './totals.ts';

/** For people: the findings of each file, and a table at the end where there are several. */
export function textReport({ several }: ReportOptions): Report {
  const totals = new Totals();
  let expecting = false;
  return {
    begin: () => '',
    file(shown) {
      totals.add(shown);
      if (isUnjudged(shown)) return '';
      expecting ||= shown.expectation !== undefined;
      if (shown.expectation !== undefined) return expectationText(shown.file, shown.expectation);
      if (!several) return findingsText(shown);
      return shown.findings.length === 0 ? '' : `${shown.file}\n${findingsText(shown)}\n`;
    },
    end: () => (several && !expecting ? totals.text() : ''),
  };
}

function findingsText({ findings }: ShownTrace): string {
  return findings.length === 0 ? 'no findings\n' : findings.map(findingText).join('\n');
}

function findingText(finding: FindingJson): string {
  const { rule, severity, at, title, culprit, evidence, cells, cpus, fix } = finding;
  const lines = [
    ['culprit', `${culprit.component} at ${culprit.at}`],
    ['proof', evidence.join(' ')],
    ['cells', cells.join(' ')],
    ...(cpus === undefined ? [] : [['cpus', cpus.join(' ')]]),
    ['fix', fix],
  ];
  return `${rule} ${severity} at ${at}: ${title}\n${table(lines, '  ')}`;
}

function expectationText(file: string, { missing, unexpected }: Expectation): string {
  if (missing.length === 0 && unexpected.length === 0) return `${file}: as expected\n`;
  const lines = [
    ...missing.map(({ rule, component }) => `  missing: ${rule} ${component}`),
    ...unexpected.map(({ rule, culprit }) => `  not expected: ${rule} ${culprit.component} at ${culprit.at}`),
  ];
  return `${file}: not as expected\n${lines.join('\n')}\n`;
}
