import { basename } from 'node:path';
import { EarlySession } from '../../engine/app/early/early-session.ts';
import { EVENT_KINDS } from '../../engine/trace/event.ts';
import { type OpenTrace, remarksOf } from '../cli/trace-events.ts';

/** The session that answers from the file alone, while the trace is being replayed. */
export function earlySession(
  path: string,
  { source, file }: OpenTrace,
  other: () => { readonly name: string } | undefined = () => undefined,
): EarlySession {
  const { index, counts } = file;
  return new EarlySession({
    ...{ name: basename(path), source, remarks: remarksOf(file), other },
    kinds: Object.fromEntries(EVENT_KINDS.map((kind) => [kind, counts.kinds[kind]?.count ?? 0])),
    ...(index === undefined ? {} : { index }),
  });
}
