import type { Sides } from '../machine/machine.ts';
import type { History } from '../replay/history.ts';
import type { ReplayReport } from '../replay/replay.ts';
import type { EventSource } from '../replay/source.ts';
import type { Finding } from '../rules/finding.ts';

/** A trace that has been replayed and judged: everything that a view may ask about. */
export interface SessionParts {
  readonly name: string;
  readonly source: EventSource;
  readonly sides: Sides;
  readonly report: ReplayReport;
  readonly history: History;
  readonly findings: readonly Finding[];
}

/** A position that the trace does not have, or a text that is none: the view shows the message. */
export class NotThere extends Error {}
