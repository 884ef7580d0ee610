import type { OpenFinding, RootCause } from './open-finding.ts';
import { OpenFindings } from './open-findings.ts';
import type { RuleInput } from './rule.ts';

/** What a finding says. */
export interface Words {
  readonly title: string;
  readonly fix: string;
}

/** The findings of a rule while the trace goes on: one for each root cause, in the words of its first case. */
export class CaseBook {
  readonly #input: RuleInput;
  readonly #findings: OpenFindings;
  readonly #words = new Map<OpenFinding, Words>();

  constructor(rule: string, input: RuleInput) {
    this.#input = input;
    this.#findings = new OpenFindings(rule, input);
  }

  /** The finding of a root cause. */
  open(root: Omit<RootCause, 'rule'>, words: Words): OpenFinding {
    const finding = this.#findings.of(root);
    if (!this.#words.has(finding)) this.#words.set(finding, words);
    return finding;
  }

  report(): void {
    for (const [finding, { title, fix }] of this.#words) this.#input.report(finding.close(title, fix));
  }
}
