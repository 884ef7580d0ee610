import { basename } from 'node:path';
import { EarlySession } from '../../engine/app/early/early-session.ts';
import { openSession } from '../../engine/app/open.ts';
import type { Session } from '../../engine/app/session.ts';
import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { SIDES } from '../cli/sides.ts';
import { type OpenTrace, remarksOf } from '../cli/trace.ts';

/** The session that answers from the file alone, while the trace is being replayed. */
export function earlySession(path: string, { source, file }: OpenTrace): EarlySession {
  const { index, counts } = file;
  return new EarlySession({
    ...{ name: basename(path), source, remarks: remarksOf(file) },
    kinds: Object.fromEntries(EVENT_KINDS.map((kind) => [kind, counts.kinds[kind]?.count ?? 0])),
    ...(index === undefined ? {} : { index }),
  });
}

/** Replays and judges the trace, and gives the session that answers everything. */
export function replayedSession(
  path: string,
  { source, file }: OpenTrace,
  progress: (done: number) => boolean,
): Session {
  return openSession({ name: basename(path), source, sides: SIDES, remarks: remarksOf(file), progress });
}
