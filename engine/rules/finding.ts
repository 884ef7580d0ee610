import { type Address, compareAddresses, formatAddress } from '../trace/position.ts';

export type Severity = 'error' | 'warning' | 'info';
export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

/** Who broke the rule (never who suffered), and where. */
export interface Culprit {
  readonly at: Address;
  readonly component: string;
}

/** A rule's verdict. One finding per rule and root cause; consequences are attached as evidence. */
export interface Finding {
  /**
   * Rule and root cause, without positions: the same in a re-run, and still the same after the trace was
   * trimmed, minimised or edited around it.
   */
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  /** Where it shows. */
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

/** A finding as `check --json` prints it: positions as text, a partition id as decimal text. */
export interface FindingJson {
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly title: string;
  readonly at: string;
  readonly culprit: { readonly at: string; readonly component: string };
  readonly evidence: readonly string[];
  readonly cells: readonly string[];
  readonly cpus?: readonly number[];
  readonly partition?: string;
  readonly vp?: number;
  readonly fix: string;
}

export function findingToJson(finding: Finding): FindingJson {
  const { id, rule, severity, title, culprit, cells, cpus, partition, vp, fix } = finding;
  return {
    id,
    rule,
    severity,
    title,
    at: formatAddress(finding.at),
    culprit: { at: formatAddress(culprit.at), component: culprit.component },
    evidence: finding.evidence.map(formatAddress),
    cells,
    ...(cpus === undefined ? {} : { cpus }),
    ...(partition === undefined ? {} : { partition: String(partition) }),
    ...(vp === undefined ? {} : { vp }),
    fix,
  };
}

/** True when `severity` is as bad as `least` or worse. */
export function atLeast(severity: Severity, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least);
}

/** Order of a list of findings: what was caused first stands first, then by id. */
export function compareFindings(a: Finding, b: Finding): number {
  return compareAddresses(a.culprit.at, b.culprit.at) || (a.id < b.id ? -1 : Number(a.id > b.id));
}
