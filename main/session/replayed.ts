import { basename } from 'node:path';
import type { OtherTrace } from '../../engine/app/compare/with-trace.ts';
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
  more: {
    readonly other?: () => { readonly name: string; readonly open: OpenTrace } | undefined;
    readonly breathe?: () => void;
  } = {},
): Session {
  let known: { readonly open: OpenTrace; readonly trace: OtherTrace } | undefined;
  const other = (): OtherTrace | undefined => {
    const now = more.other?.();
    if (now === undefined) return undefined;
    const { name, open } = now;
    if (known?.open !== open) known = { open, trace: { name, source: sourceOf(open) } };
    return known.trace;
  };
  return openSession({
    name: basename(path),
    source: sourceOf(trace),
    sides: SIDES,
    remarks: remarksOf(trace.file),
    progress,
    other,
    ...(more.breathe === undefined ? {} : { breathe: more.breathe }),
  });
}
