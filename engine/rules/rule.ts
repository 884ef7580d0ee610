import type { Step } from '../replay/step.ts';
import type { CellStore } from '../state/store.ts';
import type { EventKind } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';
import type { Finding, Severity } from './finding.ts';
import type { Moment } from './open-finding.ts';

/** What a rule has while it judges. */
export interface RuleInput {
  readonly profile: Profile;
  /** What a tracker knows; rules that name the same kind of tracker share one. */
  tracker<T extends Tracker>(kind: TrackerKind<T>): T;
  /** The present step. */
  now(): Moment;
  report(finding: Finding): void;
}

/** A running judgement over one replay. */
export interface Judge {
  /**
   * Called after each step of a kind that the rule watches, in the order of effect, the trackers first.
   * `store` is the machine as it stands then and may be read during the call alone.
   */
  step(step: Step, store: CellStore): void;
  /** Called once, after the last step: the place to report from. */
  end(): void;
}

/** A protocol property: one file each (docs/how-to/add-a-rule.md). */
export interface Rule {
  readonly id: string;
  /** The worst that its findings can be. */
  readonly severity: Severity;
  readonly title: string;
  /** What a finding means and why it matters, in plain words. */
  readonly meaning: string;
  /** What looks similar and is legal. */
  readonly silent: readonly string[];
  /** Public source of the property. */
  readonly source: string;
  /** The kinds of event that it looks at. */
  readonly watches: readonly EventKind[];
  /** The kinds of event without which the rule cannot judge and stays silent. */
  readonly needs: readonly EventKind[];
  judge(input: RuleInput): Judge;
}

/** Follows some part of the traffic for several rules: what the state is, who made it so. */
export interface Tracker {
  step(step: Step, store: CellStore): void;
}

/** A tracker's declaration, compared by identity. */
export interface TrackerKind<T extends Tracker> {
  readonly name: string;
  readonly watches: readonly EventKind[];
  create(input: TrackerInput): T;
}

export type TrackerInput = Pick<RuleInput, 'profile' | 'now'>;
