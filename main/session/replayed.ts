import { basename } from 'node:path';
import { openSession } from '../../engine/app/open.ts';
import type { Session } from '../../engine/app/session.ts';
import { SIDES } from '../cli/sides.ts';
import { sourceOf } from '../cli/trace.ts';
import { type OpenTrace, remarksOf } from '../cli/trace-events.ts';

/** Replays and judges the trace, and gives the session that answers everything. */
export function replayedSession(
  path: string,
  trace: OpenTrace,
  progress: (done: number) => boolean,
): Session {
  return openSession({
    name: basename(path),
    source: sourceOf(trace),
    sides: SIDES,
    remarks: remarksOf(trace.file),
    progress,
  });
}
