import { isAbsolute, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RULES } from '../../../engine/rules/catalogue.ts';
import type { FindingJson, Severity } from '../../../engine/rules/finding.ts';
import type { Rule } from '../../../engine/rules/rule.ts';
import { EVENT_TEXT } from '../../batch/find.ts';
import { isUnjudged, type UnjudgedFile } from '../../batch/judged.ts';
import { VERSION } from '../version.ts';
import type { Ending, Report, ReportOptions } from './report.ts';

/** OASIS, Static Analysis Results Interchange Format (SARIF) 2.1.0 with errata 1. */
const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** SARIF has no `info` (section 3.27.10). */
const LEVELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

const RULE_INDEX = new Map(RULES.map(({ id }, i) => [id, i]));

/** For code scanning: SARIF 2.1.0, one run; the results come one a line. What could not be judged is a notification. */
export function sarifReport({ baseline }: ReportOptions): Report {
  const problems: UnjudgedFile[] = [];
  let first = true;
  return {
    begin() {
      const driver = { name: 'hvrewind', semanticVersion: VERSION, rules: RULES.map(ruleObject) };
      return `{"$schema":"${SCHEMA}","version":"2.1.0","runs":[{"tool":${JSON.stringify({ driver })},"columnKind":"utf16CodeUnits","results":[`;
    },
    file(shown) {
      if (isUnjudged(shown)) {
        problems.push(shown);
        return '';
      }
      const lines = shown.findings.map((finding) => {
        const comma = first ? '' : ',';
        first = false;
        return `${comma}\n${JSON.stringify(resultObject(shown.file, finding, baseline))}`;
      });
      return lines.join('');
    },
    end: (ending) => `],"invocations":[${JSON.stringify(invocation(problems, ending))}]}]}\n`,
  };
}

function ruleObject({ id, title, meaning, silent, source, severity, needs }: Rule): unknown {
  const help = [meaning, '', 'Legal, and silent:', '', ...silent.map((line) => `- ${line}`), ''];
  const text = [...help, `Source: ${source}.`].join('\n');
  return {
    id,
    shortDescription: { text: `${title}.` },
    fullDescription: { text: meaning },
    help: { text, markdown: text },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { source, needs },
  };
}

function resultObject(file: string, finding: FindingJson, baseline: boolean): unknown {
  const { id, rule, severity, title, at, culprit, evidence, cells, cpus, partition, vp, fix } = finding;
  return {
    ruleId: rule,
    ruleIndex: RULE_INDEX.get(rule),
    level: LEVELS[severity],
    message: { text: `${title}. Culprit: ${culprit.component} at event ${culprit.at}. Fix: ${fix}.` },
    locations: [place(file, at)],
    relatedLocations: evidence.map((position, i) => ({
      id: i + 1,
      message: { text: `proof: event ${position}` },
      ...place(file, position),
    })),
    partialFingerprints: { 'hvrewindFinding/v1': id },
    ...(baseline ? { baselineState: 'new' } : {}),
    properties: {
      culprit,
      cells,
      ...(cpus === undefined ? {} : { cpus }),
      ...(partition === undefined ? {} : { partition }),
      ...(vp === undefined ? {} : { vp }),
    },
  };
}

/** A position of a file. Event text has a line for it: that of the event, or of what it was derived from. */
function place(file: string, position: string): object {
  const physicalLocation = {
    artifactLocation: { uri: uriOf(file) },
    ...(file.endsWith(EVENT_TEXT) ? { region: { startLine: Number.parseInt(position, 10) + 1 } } : {}),
  };
  return { physicalLocation, logicalLocations: [{ name: position, kind: 'event' }] };
}

function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file.split(sep).map(encodeURIComponent).join('/');
}

function invocation(problems: readonly UnjudgedFile[], { cancelled }: Ending): unknown {
  const notifications = problems.map(({ file, problem }) => ({
    level: 'error',
    message: { text: problem },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) } } }],
  }));
  if (cancelled) notifications.push({ level: 'error', message: { text: 'cancelled' }, locations: [] });
  return {
    executionSuccessful: notifications.length === 0,
    toolExecutionNotifications: notifications,
  };
}
