import { OpenFinding, type RootCause } from './open-finding.ts';
import type { RuleInput } from './rule.ts';

/** The findings of a rule while the trace goes on, one for each root cause. */
export class OpenFindings {
  readonly #rule: string;
  readonly #input: RuleInput;
  readonly #open = new Map<string, OpenFinding>();

  constructor(rule: string, input: RuleInput) {
    this.#rule = rule;
    this.#input = input;
  }

  /** That of a root cause, by its words; the first time it is made and has begun. */
  of(root: Omit<RootCause, 'rule'>): OpenFinding {
    const key = root.cause.join(' ');
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const made = new OpenFinding({ rule: this.#rule, ...root });
    this.#open.set(key, made);
    this.#input.begun(made);
    return made;
  }

  /** In the order in which they began. */
  all(): Iterable<OpenFinding> {
    return this.#open.values();
  }
}
