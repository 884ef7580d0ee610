import type { Sides } from '../machine/machine.ts';
import type { History } from '../replay/history.ts';
import type { ReplayReport } from '../replay/replay.ts';
import type { EventSource } from '../replay/source.ts';
import type { Finding } from '../rules/finding.ts';
import type { Address } from '../trace/position.ts';
import type { OtherTrace } from './compare/with-trace.ts';
import type { TimelineColumns } from './timeline/columns.ts';

/** A trace that has been replayed and judged: everything that a view may ask about. */
export interface SessionParts {
  readonly name: string;
  readonly source: EventSource;
  readonly sides: Sides;
  readonly report: ReplayReport;
  readonly history: History;
  readonly findings: readonly Finding[];
  readonly columns: TimelineColumns;
  /** Notes and gaps that the file keeps beside its events. */
  readonly remarks?: readonly Remark[];
  /** Another trace to compare with, where there is one. */
  readonly other?: () => OtherTrace | undefined;
  /** Called while long work goes on: requests may be answered meanwhile. */
  readonly breathe?: () => void;
}

/** A note that somebody put on a trace, or a place where its recorder lost events. */
export interface Remark {
  readonly what: 'gap' | 'note';
  readonly at: Address;
  readonly text: string;
}

/** What only the replay of the trace will tell. */
export class NotYet extends Error {}

/** A position that the trace does not have, or a text that is none: the view shows the message. */
export class NotThere extends Error {}
