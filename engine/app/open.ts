import { checkWithHistory } from '../analysis/check.ts';
import type { Sides } from '../machine/machine.ts';
import type { ReplayOptions } from '../replay/replay.ts';
import type { EventSource } from '../replay/source.ts';
import { Session } from './session.ts';
import type { Remark, SessionParts } from './session-parts.ts';
import { TimelineColumns } from './timeline/columns.ts';

export interface OpenOptions {
  readonly name: string;
  readonly source: EventSource;
  readonly sides: Sides;
  /** Notes and gaps that the file keeps beside its events. */
  readonly remarks?: readonly Remark[];
  readonly progress?: ReplayOptions['progress'];
  /** What another trace is compared with, and who answers while that takes long (session-parts.ts). */
  readonly other?: NonNullable<SessionParts['other']>;
  readonly breathe?: () => void;
}

/** Replays and judges a trace once, and gives the session that answers for it. */
export function openSession({ progress, ...parts }: OpenOptions): Session {
  const columns = new TimelineColumns(parts.source.count);
  const checked = checkWithHistory(parts.source, parts.sides, progress, (step) => columns.note(step));
  return new Session({ ...parts, ...checked, columns });
}
