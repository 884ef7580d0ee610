import { compareAddresses } from '../trace/position.ts';
import type { ExpectedFinding } from '../trace/profile.ts';
import type { Finding } from './finding.ts';

/** How findings differ from what a trace's header expects. */
export interface ExpectationResult {
  readonly met: boolean;
  readonly missing: readonly ExpectedFinding[];
  readonly unexpected: readonly Finding[];
}

/**
 * Compares findings with the oracle of a sample, one to one: rule, culprit component and, where it is given,
 * the culprit's position. `[]` expects silence.
 */
export function compareExpected(
  expected: readonly ExpectedFinding[],
  findings: readonly Finding[],
): ExpectationResult {
  const unexpected = [...findings];
  const missing: ExpectedFinding[] = [];
  // Those with a position first, so that one without does not take the finding that they name.
  const exact = expected.filter((e) => e.at !== undefined);
  for (const wanted of [...exact, ...expected.filter((e) => e.at === undefined)]) {
    const found = unexpected.findIndex((finding) => meets(wanted, finding));
    if (found < 0) missing.push(wanted);
    else unexpected.splice(found, 1);
  }
  return { met: missing.length === 0 && unexpected.length === 0, missing, unexpected };
}

function meets(wanted: ExpectedFinding, { rule, culprit }: Finding): boolean {
  if (wanted.rule !== rule || wanted.component !== culprit.component) return false;
  return wanted.at === undefined || compareAddresses(wanted.at, culprit.at) === 0;
}
