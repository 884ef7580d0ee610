import type { Step } from '../replay/step.ts';
import type { CellStore } from '../state/store.ts';
import type { EventKind } from '../trace/event.ts';
import type { TimeNs } from '../trace/position.ts';
import type { Profile } from '../trace/profile.ts';
import { compareFindings, type Finding } from './finding.ts';
import type { Moment, OpenFinding } from './open-finding.ts';
import { Routing } from './routing.ts';
import type { Judge, Rule, Tracker, TrackerKind } from './rule.ts';

/** Several rules over one replay. */
export interface Judgement {
  /** Hand in every step, in the order of effect. */
  step(step: Step, store: CellStore): void;
  /** What has been begun by now, oldest first, while steps come; what it comes to is known at the end. */
  begun(): readonly OpenFinding[];
  /** Ends the judgement; once, after the last step. */
  end(): void;
  /** The findings, earliest cause first; after {@link Judgement.end}. */
  findings(): readonly Finding[];
}

/** Kinds that the drivers' side derives where a trace does not have them, so that they are never missing. */
const DERIVED_KINDS: readonly EventKind[] = ['msr', 'hypercall'];

/** Starts judging. Nothing is allocated for a step that nobody watches. */
export function createJudge(rules: readonly Rule[], profile: Profile): Judgement {
  /** Trackers first: they know the step when the rules see it. */
  const routing = { trackers: new Routing(), rules: new Routing() };
  const trackers = new Map<TrackerKind<Tracker>, Tracker>();
  const judges: Judge[] = [];
  const seen = new Set<EventKind>(profile.kernel === 'unknown' ? [] : DERIVED_KINDS);
  const reported: Finding[] = [];
  const begun: OpenFinding[] = [];
  let findings: readonly Finding[] | undefined;
  let present: Step | undefined;
  let steps = 0;

  function now(): Moment {
    if (present === undefined) throw new Error('no step yet');
    return { at: present.address, step: steps, t: timeOf(present) };
  }

  function tracker<T extends Tracker>(kind: TrackerKind<T>): T {
    const known = trackers.get(kind);
    if (known !== undefined) return known as T;
    const made = kind.create({ profile, now, tracker });
    trackers.set(kind, made);
    routing.trackers.subscribe(made, kind.watches);
    return made;
  }

  const byId = new Map<string, Rule>();
  for (const rule of rules) {
    if (byId.has(rule.id)) throw new Error(`two rules ${rule.id}`);
    byId.set(rule.id, rule);
    const judge = rule.judge({
      profile,
      tracker,
      now,
      report: (finding) => reported.push(finding),
      begun: (finding) => begun.push(finding),
    });
    judges.push(judge);
    routing.rules.subscribe(judge, rule.watches);
  }

  /** The trace goes deep enough for the rule: it has, or would have, the kinds of event that it needs. */
  function deepEnough(finding: Pick<Finding, 'rule'>): boolean {
    const rule = byId.get(finding.rule);
    if (rule === undefined) throw new Error(`finding of an unknown rule ${finding.rule}`);
    return rule.needs.every((kind) => seen.has(kind));
  }

  return {
    step(step, store) {
      steps++;
      const { event } = step;
      if (!seen.has(event.kind)) seen.add(event.kind);
      present = step;
      for (const watcher of routing.trackers.watchersOf(event)) watcher.step(step, store);
      for (const watcher of routing.rules.watchersOf(event)) watcher.step(step, store);
    },
    begun: () => begun.filter(({ root }) => deepEnough(root)),
    end() {
      if (findings !== undefined) throw new Error('the judgement has ended already');
      for (const judge of judges) judge.end();
      const known = new Set(begun.map(({ id }) => id));
      for (const { id } of reported)
        if (!known.has(id)) throw new Error(`finding ${id} was reported without having begun`);
      findings = unique(reported.filter(deepEnough).sort(compareFindings));
    },
    findings() {
      if (findings === undefined) throw new Error('the judgement has not ended');
      return findings;
    },
  };
}

function timeOf({ event, returned }: Step): TimeNs {
  return returned && event.kind === 'ioctl' ? (event.tEnd ?? event.t) : event.t;
}

function unique(findings: readonly Finding[]): readonly Finding[] {
  const ids = new Set<string>();
  for (const { id } of findings) {
    if (ids.has(id)) throw new Error(`two findings ${id}: a rule reports a root cause once`);
    ids.add(id);
  }
  return findings;
}
