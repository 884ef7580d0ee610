import type { Step } from '../replay/step.ts';
import type { CellStore } from '../state/store.ts';
import type { EventKind } from '../trace/event.ts';
import type { Profile } from '../trace/profile.ts';
import type { Finding, Severity } from './finding.ts';
import type { Moment, OpenFinding } from './open-finding.ts';

/**
 * The steps that reach a rule or a tracker: all of a kind, or only the hypercalls of some codes, the accesses to some MSRs,
 * the ioctls of some request numbers. What is of no interest to anybody costs nothing: name numbers where you can.
 */
export type Watch =
  | EventKind
  | { readonly kind: 'hypercall'; readonly codes: readonly number[] }
  | { readonly kind: 'msr'; readonly msrs: readonly number[] }
  | { readonly kind: 'ioctl'; readonly ops: readonly number[] };

/** What a rule has while it judges. */
export interface RuleInput {
  readonly profile: Profile;
  /** What a tracker knows; rules that name the same kind of tracker share one. */
  tracker<T extends Tracker>(kind: TrackerKind<T>): T;
  /** The present step. */
  now(): Moment;
  /** There is a finding, which {@link report} brings at the end: who watches a machine that runs does not wait for that. */
  begun(finding: OpenFinding): void;
  report(finding: Finding): void;
}

/** A running judgement over one replay. */
export interface Judge {
  /**
   * Called after each step that the rule watches, in the order of effect, the trackers first.
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
  /** What it looks at. */
  readonly watches: readonly Watch[];
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
  readonly watches: readonly Watch[];
  create(input: TrackerInput): T;
}

/** A tracker may build on another, which is then stepped before it. */
export type TrackerInput = Pick<RuleInput, 'profile' | 'now' | 'tracker'>;
