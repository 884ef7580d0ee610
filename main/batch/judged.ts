import type { FindingJson } from '../../engine/rules/finding.ts';
import type { ExpectedFinding } from '../../engine/trace/profile.ts';

/** How findings differ from what a trace says it must have. */
export interface Expectation {
  readonly missing: readonly Pick<ExpectedFinding, 'rule' | 'component'>[];
  readonly unexpected: readonly FindingJson[];
}

/** A file that was judged. */
export interface JudgedTrace {
  readonly file: string;
  readonly events: number;
  readonly findings: readonly FindingJson[];
  /** Undefined where the trace says nothing of its findings. */
  readonly expectation: Expectation | undefined;
}

/** A file that could not be judged: one line that begins with its name. */
export interface UnjudgedFile {
  readonly file: string;
  readonly problem: string;
}

/** What came of one file: plain data, so that it can leave a thread. */
export type Judged = JudgedTrace | UnjudgedFile;

export function isUnjudged(judged: Judged): judged is UnjudgedFile {
  return 'problem' in judged;
}
