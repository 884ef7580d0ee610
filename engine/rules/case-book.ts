import { OpenFinding, type RootCause } from './open-finding.ts';
import type { RuleInput } from './rule.ts';

/** What a finding says. */
export interface Words {
  readonly title: string;
  readonly fix: string;
}

interface Case {
  readonly finding: OpenFinding;
  readonly words: Words;
}

/** The findings of a rule while the trace goes on: one for each root cause, in the words of its first case. */
export class CaseBook {
  readonly #rule: string;
  readonly #input: RuleInput;
  readonly #cases = new Map<string, Case>();

  constructor(rule: string, input: RuleInput) {
    this.#rule = rule;
    this.#input = input;
  }

  /** The finding of a root cause. */
  open(root: Omit<RootCause, 'rule'>, words: Words): OpenFinding {
    const key = root.cause.join(':');
    const known = this.#cases.get(key);
    if (known !== undefined) return known.finding;
    const finding = new OpenFinding({ rule: this.#rule, ...root });
    this.#cases.set(key, { finding, words });
    this.#input.begun(finding);
    return finding;
  }

  report(): void {
    for (const { finding, words } of this.#cases.values()) {
      this.#input.report(finding.close(words.title, words.fix));
    }
  }
}
