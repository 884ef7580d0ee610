import type { Step } from '../replay/step.ts';
import type { CellStore } from '../state/store.ts';
import type { EventKind } from '../trace/event.ts';
import type { Address } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';

export type Severity = 'error' | 'warning' | 'info';

/** Who broke the rule (never who suffered), and where. */
export interface Culprit {
  readonly at: Address;
  readonly component: string;
}

/** A rule's verdict. One finding per rule and root cause; consequences are attached as evidence. */
export interface Finding {
  /** Stable over re-runs: rule, root cause and what tells two findings of one cause apart. */
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  readonly at: Address;
  readonly culprit: Culprit;
  /** Events that prove it, in the order in which they happened. */
  readonly evidence: readonly Address[];
  /** Paths of the cells that it is about. */
  readonly cells: readonly string[];
  readonly cpus?: readonly number[];
  readonly partition?: bigint;
  readonly vp?: number;
  /** The smallest change that makes it right, in one line. */
  readonly fix: string;
}

/** What a rule may look at while it judges. */
export interface RuleInput {
  readonly profile: Profile;
  readonly store: CellStore;
  report(finding: Finding): void;
}

/** A running judgement over one replay. */
export interface Judge {
  /** Called after each step, in order of effect. */
  step(step: Step): void;
  /** Called once, after the last step. */
  end(): void;
}

/** A protocol property: one file each. */
export interface Rule {
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** What a finding means and why it matters, in plain words. */
  readonly meaning: string;
  /** Public source of the property. */
  readonly source: string;
  /** The kinds of events without which the rule cannot judge and stays silent. */
  readonly needs: readonly EventKind[];
  judge(input: RuleInput): Judge;
}
