import { RULES } from '../../../engine/rules/catalogue.ts';
import { atLeast, type FindingJson, type Severity } from '../../../engine/rules/finding.ts';
import type { Rule } from '../../../engine/rules/rule.ts';
import { isUnjudged } from '../../batch/judged.ts';
import type { Report, ReportOptions, ShownTrace } from './report.ts';

/**
 * For CI systems: JUnit's XML as Jenkins and others read it. A file is a test suite, a rule a test case, so that a case has the same
 * name in every run. What is not at least `--min-severity` stands in the output of a case that passes.
 */
export function junitReport({ least }: ReportOptions): Report {
  return {
    begin: () => '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="hvrewind check">\n',
    file: (shown) =>
      isUnjudged(shown)
        ? suite(shown.file, { tests: 1, failures: 0, errors: 1 }, [
            testCase(
              shown.file,
              'can be judged',
              element('error', { type: 'unreadable', message: shown.problem }, ''),
            ),
          ])
        : judgedSuite(shown, least),
    end: ({ cancelled }) =>
      `${cancelled ? suite('hvrewind check', { tests: 1, failures: 0, errors: 1 }, [testCase('hvrewind check', 'all files', element('error', { type: 'cancelled', message: 'cancelled' }, ''))]) : ''}</testsuites>\n`,
  };
}

function judgedSuite({ file, findings }: ShownTrace, least: Severity): string {
  let failures = 0;
  const cases = RULES.map((rule) => {
    const found = findings.filter((finding) => finding.rule === rule.id);
    const failed = found.filter(({ severity }) => atLeast(severity, least));
    failures += Number(failed.length > 0);
    const passed = found.filter((finding) => !failed.includes(finding));
    const said = passed.length === 0 ? '' : element('system-out', {}, passed.map(findingText).join('\n'));
    return testCase(file, `${rule.id} ${rule.title}`, `${failure(rule, failed)}${said}`);
  });
  return suite(file, { tests: RULES.length, failures, errors: 0 }, cases);
}

function failure({ source }: Rule, failed: readonly FindingJson[]): string {
  const [first] = failed;
  if (first === undefined) return '';
  const more = failed.length === 1 ? '' : ` (and ${failed.length - 1} more)`;
  const text = [...failed.map(findingText), `source: ${source}`].join('\n');
  return element('failure', { type: first.severity, message: `${first.title}${more}` }, text);
}

function findingText({ id, severity, at, title, culprit, evidence, fix }: FindingJson): string {
  return [
    `${severity} at ${at}: ${title}`,
    `culprit: ${culprit.component} at ${culprit.at}`,
    `proof: ${evidence.join(' ')}`,
    `fix: ${fix}`,
    `id: ${id}`,
  ].join('\n');
}

interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
}

function suite(name: string, { tests, failures, errors }: Counts, cases: readonly string[]): string {
  const counts = { tests: String(tests), failures: String(failures), errors: String(errors), skipped: '0' };
  return `${element('testsuite', { name, ...counts }, new Markup(`\n${cases.join('')}`))}\n`;
}

function testCase(classname: string, name: string, content: string): string {
  return `${element('testcase', { classname, name }, new Markup(content))}\n`;
}

/** Text that is XML already. */
class Markup {
  readonly xml: string;

  constructor(xml: string) {
    this.xml = xml;
  }
}

function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  content: string | Markup,
): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${xmlText(value)}"`);
  const inner = typeof content === 'string' ? xmlText(content) : content.xml;
  return `<${name}${given.join('')}>${inner}</${name}>`;
}

/** Names of files and components come from others: what XML 1.0 cannot hold (its production 2, Char) becomes U+FFFD. */
function xmlText(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
