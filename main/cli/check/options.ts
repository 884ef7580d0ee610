import { SEVERITIES, type Severity } from '../../../engine/rules/finding.ts';
import type { Arguments } from '../command.ts';
import { Problem } from '../problem.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import type { Report, ReportOptions } from './report.ts';
import { sarifReport } from './sarif.ts';
import { textReport } from './text.ts';

const FORMATS: Readonly<Record<string, (options: ReportOptions) => Report>> = {
  text: textReport,
  json: jsonReport,
  sarif: sarifReport,
  junit: junitReport,
};

/** What was asked for. */
export interface CheckOptions {
  readonly least: Severity;
  readonly jobs: number | undefined;
  readonly expect: boolean;
  /** File of the findings that are known. */
  readonly baseline: string | undefined;
  /** It is to be written. */
  readonly write: boolean;
  readonly report: (options: ReportOptions) => Report;
}

/** Reads the options of `check`; throws a Problem for what does not go together. */
export function checkOptions(args: Arguments): CheckOptions {
  const [expect, write, json] = [args.flag('expect'), args.flag('write-baseline'), args.flag('json')];
  const [baseline, format] = [args.value('baseline'), args.value('format')];
  if (json && format !== undefined && format !== 'json')
    throw new Problem('check: --json is --format json; give one');
  const form = format ?? (json ? 'json' : 'text');
  const report = Object.hasOwn(FORMATS, form) ? FORMATS[form] : undefined;
  if (report === undefined) {
    throw new Problem(`check: --format ${JSON.stringify(form)}: expected ${Object.keys(FORMATS).join(', ')}`);
  }
  if (write && baseline === undefined)
    throw new Problem('check: --write-baseline: name the file with --baseline FILE');
  if (write && (form !== 'text' || expect)) {
    throw new Problem('check: --write-baseline prints no findings; leave out --json, --format and --expect');
  }
  if (expect && (form === 'sarif' || form === 'junit' || baseline !== undefined)) {
    throw new Problem('check: --expect goes with text and JSON and no baseline; leave out the others');
  }
  return {
    least: severityOf(args.value('min-severity') ?? 'warning'),
    jobs: jobsOf(args.value('jobs')),
    expect,
    baseline,
    write,
    report,
  };
}

function severityOf(text: string): Severity {
  const severity = SEVERITIES.find((s) => s === text);
  if (severity !== undefined) return severity;
  throw new Problem(`check: --min-severity ${JSON.stringify(text)}: expected ${SEVERITIES.join(', ')}`);
}

function jobsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new Problem(`check: --jobs ${JSON.stringify(text)}: expected a number from 1 to 9999`);
}
