import { checkWithHistory } from '../../analysis/check.ts';
import { compare, profileDifferences } from '../../analysis/diff/diff.ts';
import { Events } from '../../analysis/diff/events.ts';
import { MachinePair } from '../../analysis/diff/state.ts';
import type { EventSource } from '../../replay/source.ts';
import { findingToJson } from '../../rules/finding.ts';
import { EventReader, recordedEvents } from '../lists.ts';
import type { SessionParts } from '../session-parts.ts';
import { Comparison, findingsApart } from './comparison.ts';
import { recorded, sideOf } from './side.ts';
import type { Report } from './work.ts';

/** Another trace, to compare with the one that is open. */
export interface OtherTrace {
  readonly name: string;
  readonly source: EventSource;
}

/** The open trace beside another, by meaning; of both what was recorded. */
export function besideTrace(parts: SessionParts, other: OtherTrace, report: Report): Comparison {
  const { source, sides, history, findings } = parts;
  const total = other.source.count + source.count;
  const replayed = checkWithHistory(other.source, sides, (done) => {
    report(done, total);
    return true;
  });
  const sources = [source, other.source] as const;
  const { alignment, first } = compare(
    sources,
    [new Events(source), new Events(other.source)],
    () => [history, replayed.history],
    (share) => report(other.source.count + Math.floor(share * source.count), total),
  );
  const profile = first === undefined ? profileDifferences(...sources) : [];
  const parted =
    profile.length > 0 ? { a: undefined, b: undefined, reason: 'profile', fields: profile } : first;
  const { comparer, fields } = alignment;
  return new Comparison({
    a: sideOf({ ...parts, events: recordedEvents(source.count), get: recorded(new EventReader(source)) }),
    b: sideOf({
      ...replayed,
      ...other,
      events: recordedEvents(other.source.count),
      get: recorded(new EventReader(other.source)),
    }),
    matched: alignment,
    machines: new MachinePair(history, replayed.history, comparer.names, alignment),
    first: parted,
    findings: findingsApart(findings.map(findingToJson), replayed.findings.map(findingToJson)),
    fields: (number) => fields.get(number) ?? [],
  });
}
