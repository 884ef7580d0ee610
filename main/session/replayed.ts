import { basename } from 'node:path';
import { openSession } from '../../engine/app/open.ts';
import type { Session } from '../../engine/app/session.ts';
import { SIDES } from '../cli/sides.ts';
import { type OpenTrace, remarksOf } from '../cli/trace.ts';

/** Replays and judges the trace, and gives the session that answers everything. */
export function replayedSession(
  path: string,
  { source, file }: OpenTrace,
  progress: (done: number) => boolean,
): Session {
  return openSession({ name: basename(path), source, sides: SIDES, remarks: remarksOf(file), progress });
}
