import { type FindingJson, SEVERITIES } from '../../../engine/rules/finding.ts';
import { isUnjudged } from '../../batch/judged.ts';
import { table } from '../output.ts';
import type { Shown } from './report.ts';

const HEAD: readonly string[] = ['file', 'events', ...SEVERITIES, 'worst'];

/** The table at the end: a row a file, in the order in which they were given. */
export class Totals {
  readonly #rows: (readonly string[])[] = [];
  #events = 0;
  #findings = 0;
  #withFindings = 0;
  #unjudged = 0;

  add(shown: Shown): void {
    if (isUnjudged(shown)) {
      this.#unjudged++;
      this.#rows.push([shown.file, '-', ...SEVERITIES.map(() => '-'), 'not judged']);
      return;
    }
    const { file, events, findings } = shown;
    this.#events += events;
    this.#findings += findings.length;
    this.#withFindings += Number(findings.length > 0);
    const counts = SEVERITIES.map((severity) => findings.filter((f) => f.severity === severity).length);
    const worst = worstOf(findings);
    this.#rows.push([
      file,
      String(events),
      ...counts.map(String),
      worst === undefined ? '-' : `${worst.rule} ${worst.severity}`,
    ]);
  }

  text(): string {
    const files = this.#rows.length;
    const unjudged = this.#unjudged === 0 ? '' : `, ${this.#unjudged} not judged`;
    const sum = `${files} files, ${this.#events} events, ${this.#findings} findings in ${this.#withFindings} files${unjudged}`;
    return `${table([HEAD, ...this.#rows])}\n${sum}\n`;
  }
}

/** The first of the worst severity: findings stand in the order of their causes. */
function worstOf(findings: readonly FindingJson[]): FindingJson | undefined {
  for (const severity of SEVERITIES) {
    const found = findings.find((finding) => finding.severity === severity);
    if (found !== undefined) return found;
  }
  return undefined;
}
